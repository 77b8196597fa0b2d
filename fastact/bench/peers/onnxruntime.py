"""ONNX Runtime: a model of one operator, or of the few that an exporter writes, bound to the arrays' memory."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from fastact.bench.peers._base import Job, Prepared, SkipError, find

OPSET = 24
IR_VERSION = 11
Node = tuple[Any, ...]

# Lists of (operator, inputs, output, attributes); the operands go in under their names, y comes out. An attribute's
# value is a number, a text, or the name of the function's own parameter.
GRAPHS: dict[str, list[Node]] = {
    "identity": [("Identity", "x", "y", {})],
    "sigmoid": [("Sigmoid", "x", "y", {})],
    "log_sigmoid": [("Neg", "x", "n", {}), ("Softplus", "n", "s", {}), ("Neg", "s", "y", {})],
    "tanh": [("Tanh", "x", "y", {})],
    "relu": [("Relu", "x", "y", {})],
    "squared_relu": [("Relu", "x", "r", {}), ("Mul", "r r", "y", {})],
    "leaky_relu": [("LeakyRelu", "x", "y", {"alpha": "negative_slope"})],
    "prelu": [("PRelu", "x weight", "y", {})],
    "silu": [("Swish", "x", "y", {})],
    "quick_gelu": [("Swish", "x", "y", {"alpha": 1.702})],
    "mish": [("Mish", "x", "y", {})],
    "elu": [("Elu", "x", "y", {"alpha": "alpha"})],
    "celu": [("Celu", "x", "y", {"alpha": "alpha"})],
    "selu": [("Selu", "x", "y", {})],
    "softplus": [("Softplus", "x", "y", {})],
    "softsign": [("Softsign", "x", "y", {})],
    "hard_sigmoid": [("HardSigmoid", "x", "y", {"alpha": 1 / 6, "beta": 0.5})],  # ONNX's own slope is 0.2
    "hard_swish": [("HardSwish", "x", "y", {})],
    "hard_shrink": [("Shrink", "x", "y", {"lambd": "threshold", "bias": 0.0})],
    "soft_shrink": [("Shrink", "x", "y", {"lambd": "threshold", "bias": "threshold"})],
    "tanh_shrink": [("Tanh", "x", "t", {}), ("Sub", "x t", "y", {})],
    "gelu": [("Gelu", "x", "y", {})],
    "gelu_tanh": [("Gelu", "x", "y", {"approximate": "tanh"})],
    "thresholded_relu": [("ThresholdedRelu", "x", "y", {"alpha": "alpha"})],
    "swiglu": [("Swish", "gate", "s", {}), ("Mul", "s value", "y", {})],
    "geglu": [("Gelu", "gate", "s", {}), ("Mul", "s value", "y", {})],
    "reglu": [("Relu", "gate", "s", {}), ("Mul", "s value", "y", {})],
    "softmax": [("Softmax", "x", "y", {"axis": "axis"})],
    "log_softmax": [("LogSoftmax", "x", "y", {"axis": "axis"})],
    "softmin": [("Neg", "x", "n", {}), ("Softmax", "n", "y", {"axis": "axis"})],
    "hardmax": [("Hardmax", "x", "y", {"axis": "axis"})],
}


class OnnxRuntime:
    """A session for each model."""

    name = "onnxruntime"
    title = "ONNX Runtime"

    def load(self, threads: int) -> str:
        self._onnx: Any = importlib.import_module("onnx")
        self._runtime: Any = importlib.import_module("onnxruntime")
        self._runtime.set_default_logger_severity(4)  # what it lacks is said by SkipError, not on stderr
        return str(self._runtime.__version__)

    def prepare(self, job: Job) -> Prepared:
        graph = find(job, GRAPHS)
        if job.in_place:
            raise SkipError("does not work in place")
        if job.function == "softplus" and job.parameters["beta"] != 1:
            raise SkipError("has no beta")
        given = {**job.parameters, "axis": job.axis}
        nodes = [
            (*node, {key: given.get(value, value) for key, value in attributes.items()}) for *node, attributes in graph
        ]
        session = self._session(self._model(nodes, job), job)
        binding = session.io_binding()
        element = self._element_type(job)
        for name, array in zip(job.names, job.operands, strict=True):
            binding.bind_input(name, "cpu", 0, element, array.shape, array.ctypes.data)
        binding.bind_output("y", "cpu", 0, element, job.out.shape, job.out.ctypes.data)
        return Prepared(partial(session.run_with_iobinding, binding), lambda _: job.out)

    def _element_type(self, job: Job) -> int:
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(job.x.dtype))

    def _model(self, nodes: list[Node], job: Job) -> bytes:
        helper, element = self._onnx.helper, self._element_type(job)
        graph = helper.make_graph(
            [
                helper.make_node(operator, inputs.split(), [output], **attributes)
                for operator, inputs, output, attributes in nodes
            ],
            job.function,
            [
                helper.make_tensor_value_info(name, element, array.shape)
                for name, array in zip(job.names, job.operands, strict=True)
            ],
            [helper.make_tensor_value_info("y", element, job.out.shape)],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        serialized: bytes = model.SerializeToString()
        return serialized

    def _session(self, model: bytes, job: Job) -> Any:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = job.threads
        options.inter_op_num_threads = 1
        try:
            return self._runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its exceptions have no common class of their own
            lacking = ("NOT_IMPLEMENTED", "INVALID_GRAPH")
            if any(code in str(error) for code in lacking):
                raise SkipError(f"has no {job.dtype} kernel") from None
            raise
