/*
 * The formulas of float32 arrays, and of half-precision ones without a formula in half.pxi, on processors with AVX-512.
 * Each is found by its name, NAME_wide. Under it stands its largest error, over all float32, or over 40 million pairs.
 */
#ifndef FASTACT_WIDE_ACTIVATIONS_H
#define FASTACT_WIDE_ACTIVATIONS_H

#include "primitives/wide.h"

/* 2**64 / (1 + e**a) for 0 <= a <= 110: the smaller one of sigmoid(a) and sigmoid(-a). */
static ALWAYS_INLINE batch smaller_sigmoid(batch a)
{
    return inverse_of(one_plus(exp_of(a, -SCALE)));
}

static ALWAYS_INLINE batch sigmoid_wide(batch x)
{
    /* Beyond 106 all is 0 as it is at 106. */
    batch y = product(smaller_sigmoid(at_most(106.0f, magnitude(x))), all(DOWN));
    return choose(is_above(0.0f, x), minus(all(1.0f), y), y);
    /* 0.77 ULP */
}

static ALWAYS_INLINE batch sigmoid_derivative_wide(batch x)
{
    batch y = product(smaller_sigmoid(at_most(106.0f, magnitude(x))), all(DOWN));
    return minus_product(y, y, y);
    /* 1.50 ULP */
}

static ALWAYS_INLINE batch softplus_derivative_at_1_wide(batch x)
{
    return sigmoid_wide(x);
}

static ALWAYS_INLINE batch log_sigmoid_derivative_wide(batch x)
{
    return sigmoid_wide(negative(x));
}

static ALWAYS_INLINE batch tanh_wide(batch x)
{
    piece p = piece_at(at_most(9.2f, magnitude(x)), TANH_SCALE, TANH);
    /* In the first piece c0 is 0, and c1 is 1: u is rounded only together with the rest. */
    batch change = product_plus(p.u, coefficient(p, 1, TANH), product(p.u, curve(p, TANH)));
    return with_sign(plus(coefficient(p, 0, TANH), change), x);
    /* 0.77 ULP */
}

static ALWAYS_INLINE batch tanh_derivative_wide(batch x)
{
    /* 4 sigmoid(2x) sigmoid(-2x). */
    batch a = at_most(53.0f, magnitude(x));
    batch y = product(smaller_sigmoid(plus(a, a)), all(4 * DOWN));
    return minus_product(y, product(y, all(0.25f)), y);
    /* 1.50 ULP */
}

static ALWAYS_INLINE batch tanh_shrink_wide(batch x)
{
    /* a**3 (c0 + ...), where the cube has two parts, and is 2**64 times too big, for it may be subnormal. */
    batch a = magnitude(x), near = at_most(9.2f, a), big = product(near, all(UP));
    batch square = product(big, near), square_low = product_minus(big, near, square);
    batch cube = product(square, near), cube_low = product_plus(square_low, near, product_minus(square, near, cube));
    piece p = piece_at(near, TANH_SHRINK_SCALE, TANH_SHRINK);
    batch c0 = coefficient(p, 0, TANH_SHRINK);
    batch y = product_plus(cube, c0, product_plus(cube, change(p, TANH_SHRINK), product(c0, cube_low)));
    return with_sign(choose(is_above(9.1f, a), minus(a, all(1.0f)), product(y, all(DOWN))), x);
    /* 0.90 ULP */
}

static ALWAYS_INLINE batch tanh_shrink_derivative_wide(batch x)
{
    /* tanh(x)**2, of both parts. */
    piece p = piece_at(at_most(9.2f, magnitude(x)), TANH_SCALE, TANH);
    batch change = product_plus(p.u, coefficient(p, 1, TANH), product(p.u, curve(p, TANH)));
    batch c0 = coefficient(p, 0, TANH), y = plus(c0, change), y_low = minus(change, minus(y, c0));
    return product_plus(y, y, product(y_low, plus(y, y)));
    /* 1.91 ULP */
}

/* max(x, 0) - y / 2**64: a function gated by itself, from what is missing on either side of 0. */
static ALWAYS_INLINE batch without_share(batch x, batch y)
{
    return minus_product(at_least(0.0f, x), y, all(DOWN));
}

static ALWAYS_INLINE batch silu_wide(batch x)
{
    /* Beyond 110 all is 0 as it is at 110. */
    batch a = at_most(110.0f, magnitude(x));
    return without_share(x, quotient_of(a, one_plus(exp_of(a, -SCALE))));
    /* 0.78 ULP */
}

/* 1.702 a. */
static ALWAYS_INLINE batch_parts quick_gelu_exponent(batch a)
{
    batch v = product(a, all(1.702f));
    return (batch_parts){v, product_plus(a, all(-2.193451e-08f), product_minus(a, all(1.702f), v))};
}

static ALWAYS_INLINE batch quick_gelu_wide(batch x)
{
    batch a = at_most(64.0f, magnitude(x));
    batch_parts v = quick_gelu_exponent(a);
    return without_share(x, quotient_of(a, one_plus(exp_of_sum(v.high, v.low, -SCALE))));
    /* 0.78 ULP */
}

/* a c, c = 1.5957691 + 0.07135481 a**2, as gelu_tanh_float32 has it. */
static ALWAYS_INLINE batch_parts gelu_tanh_exponent(batch a)
{
    batch cubic = all(0.071354814f);
    batch square = product(a, a), square_low = product_minus(a, a, square);
    batch c = minus(product_plus(square, cubic, all(1537.5957698822021f)), all(1536.0f));
    batch c_low = product_plus(square, cubic, minus(all(1.5957698822021484f), c));
    batch c_rest = product_plus(square, all(2.3988325e-09f), all(-7.6059644e-07f));
    c_low = plus(c_low, product_plus(square_low, cubic, c_rest));
    batch v = product(a, c);
    return (batch_parts){v, product_plus(a, c_low, product_minus(a, c, v))};
}

static ALWAYS_INLINE batch gelu_tanh_wide(batch x)
{
    batch a = at_most(10.9f, magnitude(x));
    batch_parts v = gelu_tanh_exponent(a);
    return without_share(x, quotient_of(a, one_plus(exp_of_sum(v.high, v.low, -SCALE))));
    /* 0.78 ULP */
}

/* 2**64 exp(-a**2 / 2). */
static ALWAYS_INLINE exponential gaussian(batch a)
{
    batch half = product(a, all(-0.5f)), v = product(half, a);
    return exp_of_sum(v, product_minus(half, a, v), SCALE);
}

/* a exp(a**2 / 2) Phi(-a). */
static ALWAYS_INLINE batch_parts normal_tail(piece p)
{
    /* In the first piece c0 is 0, and c1 is 1/2: nothing of high is rounded there. */
    batch c0 = coefficient(p, 0, NORMAL_TAIL), linear = product(p.u, coefficient(p, 1, NORMAL_TAIL));
    batch high = plus(c0, linear);
    return (batch_parts){high, product_plus(p.u, curve(p, NORMAL_TAIL), minus(linear, minus(high, c0)))};
}

static ALWAYS_INLINE batch gelu_wide(batch x)
{
    batch a = at_most(14.6f, magnitude(x));
    batch_parts tail = normal_tail(piece_at(a, NORMAL_TAIL_SCALE, NORMAL_TAIL));
    exponential e = gaussian(a);
    batch_parts y = product_of_exp(e.power, e.excess, tail.high, tail.low);
    return without_share(x, plus(y.high, y.low));
    /* 0.91 ULP */
}

static ALWAYS_INLINE batch gelu_derivative_wide(batch x)
{
    /* Phi(-a) - a phi(a) = exp(-a**2 / 2) S(a). */
    batch a = at_most(14.6f, magnitude(x));
    exponential e = gaussian(a);
    piece p = piece_at(a, NORMAL_SLOPE_SCALE, NORMAL_SLOPE);
    /* Beside the root both terms of the sum are as large, and it may be smaller: nothing of it is lost. */
    batch c0 = coefficient(p, 0, NORMAL_SLOPE), change = product(p.u, curve(p, NORMAL_SLOPE));
    change = product_plus(p.u, coefficient(p, 1, NORMAL_SLOPE), change);
    batch high = plus(c0, change), low = plus(minus(c0, high), change);
    batch y = product_plus(e.power, high, product(e.power, product_plus(e.excess, high, low)));
    y = product(y, all(DOWN));
    return choose(is_above(0.0f, x), minus(all(1.0f), y), y);
    /* 1.50 ULP */
}

/* ---- gated by another operand ------------------------------------------------------------------------------------- */

/* A product may be an ordinary number where the gate's factor alone is none any more. Where one of a batch may be such,
   `far`, powers of 2 are kept apart to the end: the others come to the same bits. */

/* sigmoid(gate) = (value.high + value.low) 2**scale. */
typedef struct {
    batch_parts value;
    batch scale;
} scaled_sigmoid;

static ALWAYS_INLINE batch_mask is_far(batch gate)
{
    return is_above(60.0f, magnitude(gate));
}

static ALWAYS_INLINE scaled_sigmoid sigmoid_and_scale(batch gate, int far)
{
    /* The product with the largest value is 0 beyond 193. Of the integer part of n/16, 87 stay. */
    far_exponential e = far_exp_of(far ? at_most(300.0f, magnitude(gate)) : magnitude(gate), all(0.0f));
    batch kept = at_most(87.9375f, e.n), power = far ? scaled(e.fraction, kept) : powers_of_2(e.sum);
    batch one = all(1.0f), high = plus(power, one);
    batch low = product_plus(power, e.excess, plus(minus(power, high), one));
    batch_parts closed = inverse_in_parts((batch_parts){high, low});
    batch rest = minus(one, closed.high), rest_low = minus(minus(minus(one, rest), closed.high), closed.low);
    batch_mask open = is_above(0.0f, gate);
    batch_parts value = {choose(open, rest, closed.high), choose(open, rest_low, closed.low)};
    return (scaled_sigmoid){value, choose(open, all(0.0f), minus(kept, e.n))};
}

static ALWAYS_INLINE batch product_with_sigmoid(batch x, scaled_sigmoid s)
{
    return product_plus(x, s.value.high, product(without_infinity(x), s.value.low));
}

static ALWAYS_INLINE batch glu_of(batch gate, batch value, int far)
{
    scaled_sigmoid s = sigmoid_and_scale(gate, far);
    batch y = product_with_sigmoid(value, s);
    return far ? scaled(y, s.scale) : y;
}

static ALWAYS_INLINE batch glu_wide(batch gate, batch value)
{
    return any(is_far(gate)) ? glu_of(gate, value, 1) : glu_of(gate, value, 0);
    /* 1.00 ULP, over 40 million pairs. */
}

static ALWAYS_INLINE batch swiglu_of(batch gate, batch value, int far)
{
    /* The first product with sigmoid is of the value where |gate| < 1, and else of the gate: it does not overflow, and
       where it underflows, what it loses does not grow. */
    scaled_sigmoid s = sigmoid_and_scale(gate, far);
    batch_mask large = is_above(1.0f, magnitude(gate));
    gate = at_least(-300.0f, gate);
    batch first = choose(large, gate, value), second = choose(large, value, gate);
    batch y = product(product_with_sigmoid(first, s), second);
    return far ? scaled(y, s.scale) : y;
}

static ALWAYS_INLINE batch swiglu_wide(batch gate, batch value)
{
    return any(is_far(gate)) ? swiglu_of(gate, value, 1) : swiglu_of(gate, value, 0);
    /* 1.69 ULP, over 40 million pairs. */
}

/* a exp(a**2 / 2) Phi(-a) for a > 14.6, where the pieces end: phi(0) (1 - s + 3 s**2 - 15 s**3 + ...), s = 1 / a**2. */
static ALWAYS_INLINE batch_parts far_normal_tail(batch a)
{
    batch inverse = inverse_of((batch_parts){a, all(0.0f)}), s = product(inverse, inverse);
    batch series = minus_product(all(1.0f), s, minus_product(all(3.0f), s, all(15.0f)));
    /* The last number is what phi(0) has beyond 24 digits. */
    batch low = minus_product(all(-1.133517e-08f), product(s, series), all(0.3989423f));
    return (batch_parts){all(0.3989423f), low};
}

static ALWAYS_INLINE batch geglu_of(batch gate, batch value, int far)
{
    batch a = far ? at_most(25.0f, magnitude(gate)) : magnitude(gate);
    batch half = product(a, all(-0.5f)), v = product(half, a);
    far_exponential e = far_exp_of(v, product_minus(half, a, v));
    piece p = piece_at(far ? at_most(14.6f, a) : a, NORMAL_TAIL_SCALE, NORMAL_TAIL);
    batch_parts tail = normal_tail(p);
    if (far) {
        batch_mask beyond = is_above(14.6f, a);
        batch_parts far_tail = far_normal_tail(a);
        tail = (batch_parts){choose(beyond, far_tail.high, tail.high), choose(beyond, far_tail.low, tail.low)};
    }
    batch kept = at_least(-87.0f, e.n), power = far ? scaled(e.fraction, kept) : powers_of_2(e.sum);
    batch_parts left = product_of_exp(power, e.excess, tail.high, tail.low);
    /* -left, or gate - left, which is the gate beyond 25. */
    batch_mask open = is_above(0.0f, gate);
    batch rest = minus(a, left.high), rest_low = minus(minus(minus(a, rest), left.high), left.low);
    rest = far ? choose(is_above(25.0f, gate), gate, rest) : rest;
    batch high = choose(open, rest, negative(left.high)), low = choose(open, rest_low, negative(left.low));
    batch y = product_plus(value, high, product(without_infinity(value), low));
    y = far ? scaled(y, choose(open, all(0.0f), minus(e.n, kept))) : y;
    /* So near 0 gelu is half the gate, which has not all digits where it is subnormal. */
    return choose(is_above(1e-30f, a), y, product(product(value, all(0.5f)), gate));
}

static ALWAYS_INLINE batch geglu_wide(batch gate, batch value)
{
    /* As gelu_wide. */
    batch_mask far = is_above(10.9f, magnitude(gate));
    return any(far) ? geglu_of(gate, value, 1) : geglu_of(gate, value, 0);
    /* 1.33 ULP, over 40 million pairs. */
}

#endif
