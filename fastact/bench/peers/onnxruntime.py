"""ONNX Runtime: a model of one operator, or of the few that an exporter writes, bound to the arrays' memory."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

from fastact.bench.peers._base import Job, Prepared, Skip, find

OPSET = 24
IR_VERSION = 11
Node = tuple[Any, ...]

# A list of (operator, inputs, output, attributes); x (or gate and value) goes in, y comes out.
GRAPHS: dict[str, Callable[[dict[str, float]], list[Node]]] = {
    "identity": lambda p: [("Identity", "x", "y", {})],
    "sigmoid": lambda p: [("Sigmoid", "x", "y", {})],
    "log_sigmoid": lambda p: [("Neg", "x", "n", {}), ("Softplus", "n", "s", {}), ("Neg", "s", "y", {})],
    "tanh": lambda p: [("Tanh", "x", "y", {})],
    "relu": lambda p: [("Relu", "x", "y", {})],
    "squared_relu": lambda p: [("Relu", "x", "r", {}), ("Mul", "r r", "y", {})],
    "leaky_relu": lambda p: [("LeakyRelu", "x", "y", {"alpha": p["negative_slope"]})],
    "prelu": lambda p: [("LeakyRelu", "x", "y", {"alpha": p["weight"]})],
    "silu": lambda p: [("Swish", "x", "y", {})],
    "quick_gelu": lambda p: [("Swish", "x", "y", {"alpha": 1.702})],
    "mish": lambda p: [("Mish", "x", "y", {})],
    "elu": lambda p: [("Elu", "x", "y", {"alpha": p["alpha"]})],
    "celu": lambda p: [("Celu", "x", "y", {"alpha": p["alpha"]})],
    "selu": lambda p: [("Selu", "x", "y", {})],
    "softplus": lambda p: [("Softplus", "x", "y", {})],
    "softsign": lambda p: [("Softsign", "x", "y", {})],
    "hard_sigmoid": lambda p: [("HardSigmoid", "x", "y", {"alpha": 1 / 6, "beta": 0.5})],   # ONNX's own slope is 0.2
    "hard_swish": lambda p: [("HardSwish", "x", "y", {})],
    "hard_shrink": lambda p: [("Shrink", "x", "y", {"lambd": p["threshold"], "bias": 0.0})],
    "soft_shrink": lambda p: [("Shrink", "x", "y", {"lambd": p["threshold"], "bias": p["threshold"]})],
    "tanh_shrink": lambda p: [("Tanh", "x", "t", {}), ("Sub", "x t", "y", {})],
    "gelu": lambda p: [("Gelu", "x", "y", {})],
    "gelu_tanh": lambda p: [("Gelu", "x", "y", {"approximate": "tanh"})],
    "thresholded_relu": lambda p: [("ThresholdedRelu", "x", "y", {"alpha": p["alpha"]})],
    "swiglu": lambda p: [("Swish", "gate", "s", {}), ("Mul", "s value", "y", {})],
    "geglu": lambda p: [("Gelu", "gate", "s", {}), ("Mul", "s value", "y", {})],
    "reglu": lambda p: [("Relu", "gate", "s", {}), ("Mul", "s value", "y", {})],
    "softmax": lambda p: [("Softmax", "x", "y", {"axis": p["axis"]})],
    "log_softmax": lambda p: [("LogSoftmax", "x", "y", {"axis": p["axis"]})],
    "softmin": lambda p: [("Neg", "x", "n", {}), ("Softmax", "n", "y", {"axis": p["axis"]})],
    "hardmax": lambda p: [("Hardmax", "x", "y", {"axis": p["axis"]})],
}


class OnnxRuntime:
    name = "onnxruntime"
    title = "ONNX Runtime"

    def load(self, threads: int) -> str:
        self._onnx: Any = importlib.import_module("onnx")
        self._runtime: Any = importlib.import_module("onnxruntime")
        self._runtime.set_default_logger_severity(4)     # what it lacks is said by Skip, not on stderr
        return str(self._runtime.__version__)

    def prepare(self, job: Job) -> Prepared:
        graph = find(GRAPHS, job)
        if job.in_place:
            raise Skip("does not work in place")
        if job.function == "softplus" and job.parameters["beta"] != 1:
            raise Skip("has no beta")
        nodes = graph({**job.parameters, **({} if job.axis is None else {"axis": job.axis})})
        names = ["x"] if len(job.operands) == 1 else ["gate", "value"]
        session = self._session(self._model(nodes, names, job), job)
        binding = session.io_binding()
        element = self._element_type(job)
        for name, array in zip(names, job.operands):
            binding.bind_input(name, "cpu", 0, element, array.shape, array.ctypes.data)
        binding.bind_output("y", "cpu", 0, element, job.out.shape, job.out.ctypes.data)
        return Prepared(partial(session.run_with_iobinding, binding), lambda _: job.out)

    def _element_type(self, job: Job) -> int:
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(job.x.dtype))

    def _model(self, nodes: list[Node], names: list[str], job: Job) -> bytes:
        helper, element = self._onnx.helper, self._element_type(job)
        graph = helper.make_graph(
            [helper.make_node(operator, inputs.split(), [output], **attributes)
             for operator, inputs, output, attributes in nodes],
            job.function,
            [helper.make_tensor_value_info(name, element, array.shape) for name, array in zip(names, job.operands)],
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
        except Exception as error:      # its exceptions have no common class of their own
            lacking = ("NOT_IMPLEMENTED", "INVALID_GRAPH")
            if any(code in str(error) for code in lacking):
                raise Skip(f"has no {job.dtype} kernel") from None
            raise
