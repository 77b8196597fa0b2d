/* The true values of every activation of one operand, and of its derivative, for billions of inputs.

   A third text beside the kernels and the reference formulas, which shares nothing with either: the definitions over
   libm's functions, in a type with digits to spare. It is compiled twice (compiled.py): float32 is judged in double,
   float64 in long double. Where a definition would cancel, the identity that does not is used, and an exponential's
   argument, whose rounding errors it magnifies, is computed in a type that is wider still.

   These values are within 2**-20 of an ULP of float32, and within 1/16 of one of float64 where a derivative is near
   its root, 1/200 elsewhere: tests/test_proof.py holds them against MPFR's. Every largest error that the proof reports
   is MPFR's. */

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <tgmath.h>

#ifdef FOR_FLOAT64
typedef double given;
typedef long double real;
#if LDBL_MANT_DIG >= 113
typedef long double wide;
#define WIDE(digits) digits##L
#else
typedef __float128 wide;
#define WIDE(digits) digits##Q
#endif
#else
typedef float given;
typedef double real;
typedef long double wide;
#define WIDE(digits) digits##L
#endif
#define REAL(digits) ((real)digits##L)

/* An infinity stands for a limit, which a number far beyond the given type's range has to any precision. Its cube
   still fits. */
#ifdef FOR_FLOAT64
#define FAR 0x1p4000L
#else
#define FAR 0x1p256
#endif

/* Beyond this the exponential is 0: less than the smallest number of the given type by a factor of 2**900 at least.
   libm would take ten times as long to say so. */
#ifdef FOR_FLOAT64
#define EXP_VANISHES -11000
#else
#define EXP_VANISHES -740
#endif

/* A formula `true_NAME` of x and the parameters p, and `evaluate_NAME`, which applies it to an array. */
#define TRUE(name) \
    static inline real true_##name(real x, const double *p); \
    void evaluate_##name(const given *x, ptrdiff_t n, const double *p, real *truth) \
    { \
        for (ptrdiff_t i = 0; i < n; i++) { \
            real finite = x[i] > FAR ? (real)FAR : x[i] < -FAR ? -(real)FAR : (real)x[i]; \
            truth[i] = isnan(x[i]) ? (real)NAN : true_##name(finite, p); \
        } \
    } \
    static inline real true_##name(real x, const double *p)

static real clip(real x, real low, real high)
{
    return x < low ? low : x > high ? high : x;
}

static real exponential(real x)
{
    return x < EXP_VANISHES ? 0 : exp(x);
}

static real exp_of(wide z)
{
    real head = (real)z, power = exponential(head);
    return isinf(power) ? power : power * (1 + (real)(z - head));
}

static real sigmoid(real x)
{
    real e = exponential(-fabs(x));
    return (x < 0 ? e : 1) / (1 + e);
}

static real log_of_1_plus_exp(real x)
{
    return (x > 0 ? x : 0) + log1p(exponential(-fabs(x)));
}

static real sigmoid_of(wide z)
{
    real e = exp_of(z < 0 ? z : -z);
    return (z < 0 ? e : 1) / (1 + e);
}

/* erfc(-x / sqrt(2)) / 2; what rounding takes from the argument is put back by the derivative. */
static real normal_distribution(real x)
{
    wide z = -x * WIDE(0.70710678118654752440084436210484903928);
    real head = (real)z, tail = (real)(z - head);
    real gaussian = exponential(-head * head);
    if (head > 0 && gaussian == 0)
        return 0;
    return (erfc(head) - REAL(1.1283791670955125738961589031215451717) * gaussian * tail) / 2;
}

static real normal_density(real x)
{
    return REAL(0.39894228040143267793994605993438186848) * exp_of(-(wide)x * x / 2);
}

TRUE(identity) { return x; }
TRUE(identity_derivative) { return 1; }

TRUE(step) { return x == 0 ? (real)p[0] : x > 0; }
TRUE(step_derivative) { return 0; }

TRUE(relu) { return x > 0 ? x : 0; }
TRUE(relu_derivative) { return x > 0; }

TRUE(relu6) { return clip(x, 0, 6); }
TRUE(relu6_derivative) { return x > 0 && x < 6; }

TRUE(squared_relu) { return x > 0 ? x * x : 0; }
TRUE(squared_relu_derivative) { return x > 0 ? 2 * x : 0; }

TRUE(leaky_relu) { return x > 0 ? x : p[0] * x; }
TRUE(leaky_relu_derivative) { return x > 0 ? 1 : (real)p[0]; }

TRUE(prelu) { return true_leaky_relu(x, p); }
TRUE(prelu_derivative) { return true_leaky_relu_derivative(x, p); }

TRUE(threshold) { return x > p[0] ? x : (real)p[1]; }
TRUE(threshold_derivative) { return x > p[0]; }

TRUE(thresholded_relu) { return x > p[0] ? x : 0; }
TRUE(thresholded_relu_derivative) { return x > p[0]; }

TRUE(sigmoid) { return sigmoid(x); }
TRUE(sigmoid_derivative) { return sigmoid(x) * sigmoid(-x); }

TRUE(log_sigmoid) { return -log_of_1_plus_exp(-x); }
TRUE(log_sigmoid_derivative) { return sigmoid(-x); }

/* log(x / (1 - x)), where x / (1 - x) - 1 = (2x - 1) / (1 - x). */
TRUE(logit) { return x < 0.25 ? log(x / (1 - x)) : log1p((2 * x - 1) / (1 - x)); }
TRUE(logit_derivative) { return x < 0 || x > 1 ? (real)NAN : 1 / fabs(x * (1 - x)); }

TRUE(tanh) { return tanh(x); }
TRUE(tanh_derivative) { return 4 * sigmoid(2 * x) * sigmoid(-2 * x); }

TRUE(softsign) { return x / (1 + fabs(x)); }
TRUE(softsign_derivative) { return 1 / ((1 + fabs(x)) * (1 + fabs(x))); }

TRUE(hard_tanh) { return clip(x, p[0], p[1]); }
TRUE(hard_tanh_derivative) { return x > p[0] && x < p[1]; }

TRUE(hard_sigmoid) { return clip(x + 3, 0, 6) / 6; }
TRUE(hard_sigmoid_derivative) { return x > -3 && x < 3 ? (real)1 / 6 : 0; }

TRUE(sparse_sigmoid) { return clip((x + 1) / 2, 0, 1); }
TRUE(sparse_sigmoid_derivative) { return fabs(x) < 1 ? 0.5 : 0; }

TRUE(softplus)
{
    wide z = (wide)x * p[0];
    return ((z > 0 ? (real)z : 0) + log1p(exp_of(z > 0 ? -z : z))) / p[0];
}
TRUE(softplus_derivative) { return sigmoid_of((wide)x * p[0]); }

/* (x + s) / 2 = b / (2 (s - x)), where s = sqrt(x**2 + b). */
TRUE(squareplus)
{
    real s = sqrt(x * x + p[0]);
    return x < 0 ? p[0] / (2 * (s - x)) : (x + s) / 2;
}
TRUE(squareplus_derivative)
{
    real s = sqrt(x * x + p[0]);
    return s == 0 ? 0.5 : true_squareplus(x, p) / s;
}

TRUE(sparse_plus)
{
    real root = true_sparse_sigmoid(x, p);
    return x >= 1 ? x : root * root;
}
TRUE(sparse_plus_derivative) { return true_sparse_sigmoid(x, p); }

TRUE(elu) { return x > 0 ? x : p[0] * expm1(x); }
TRUE(elu_derivative) { return x > 0 ? 1 : p[0] * exponential(x); }

TRUE(celu) { return x > 0 ? x : p[0] * expm1(x / p[0]); }
TRUE(celu_derivative) { return x > 0 ? 1 : exp_of((wide)x / p[0]); }

#define SELU_SCALE REAL(1.0507009873554804934193349852946)
#define SELU_ALPHA REAL(1.6732632423543772848170429916717)
TRUE(selu) { return SELU_SCALE * (x > 0 ? x : SELU_ALPHA * expm1(x)); }
TRUE(selu_derivative) { return SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * exponential(x)); }

TRUE(silu) { return x * sigmoid(x); }
TRUE(silu_derivative) { return sigmoid(x) * (1 + x * sigmoid(-x)); }

TRUE(quick_gelu) { return x * sigmoid_of(x * WIDE(1.702)); }
TRUE(quick_gelu_derivative)
{
    wide z = x * WIDE(1.702);
    return sigmoid_of(z) * (1 + (real)z * sigmoid_of(-z));
}

TRUE(mish) { return x * tanh(log_of_1_plus_exp(x)); }
TRUE(mish_derivative)
{
    real y = log_of_1_plus_exp(x);
    return tanh(y) + x * sigmoid(x) * true_tanh_derivative(y, p);
}

TRUE(gelu) { return x * normal_distribution(x); }
TRUE(gelu_derivative) { return normal_distribution(x) + x * normal_density(x); }

/* (1 + tanh(v / 2)) / 2 = sigmoid(v). */
#define SQRT_8_OVER_PI WIDE(1.5957691216057307117597842397375274739)
#define GELU_TANH_CUBIC WIDE(0.044715)
TRUE(gelu_tanh) { return x * sigmoid_of(SQRT_8_OVER_PI * (x + GELU_TANH_CUBIC * x * x * x)); }
TRUE(gelu_tanh_derivative)
{
    wide v = SQRT_8_OVER_PI * (x + GELU_TANH_CUBIC * x * x * x);
    real slope = (real)(SQRT_8_OVER_PI * (1 + 3 * GELU_TANH_CUBIC * x * x));
    return sigmoid_of(v) * (1 + x * slope * sigmoid_of(-v));
}

TRUE(hard_swish) { return x * (clip(x + 3, 0, 6) / 6); }
TRUE(hard_swish_derivative) { return x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + (real)0.5; }

/* x - tanh(x) = (x cosh(x) - sinh(x)) / cosh(x), whose numerator is the sum of 2k x**(2k+1) / (2k+1)!. */
TRUE(tanh_shrink)
{
    real power = x, series = 0, before = -1;
    if (fabs(x) >= 1)
        return x - tanh(x);
    for (int k = 1; series != before; k++) {
        before = series;
        power *= x * x / (2 * k * (2 * k + 1));
        series += 2 * k * power;
    }
    return series / cosh(x);
}
TRUE(tanh_shrink_derivative) { return tanh(x) * tanh(x); }

TRUE(hard_shrink) { return fabs(x) > p[0] ? x : 0; }
TRUE(hard_shrink_derivative) { return fabs(x) > p[0]; }

TRUE(soft_shrink) { return x > p[0] ? x - p[0] : x < -p[0] ? x + p[0] : 0; }
TRUE(soft_shrink_derivative) { return fabs(x) > p[0]; }
