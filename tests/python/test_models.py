import copy
import io
import pickle
import unittest

import support
import torch
from fdk.models import QuantisationConfig, QuantisedLinear, quantise
from support import K, N, values
from torch import nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(K)
        self.down = nn.Linear(K, N)
        self.up = nn.Linear(N, K, bias=False)

    def forward(self, x):
        return x + self.up(torch.relu(self.down(self.norm(x))))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(100, K)
        self.blocks = nn.ModuleList([Block() for _ in range(2)])
        self.lm_head = nn.Linear(K, 100, bias=False)
        self.lm_head.weight = self.embed.weight

    def forward(self, tokens):
        x = self.embed(tokens)
        for block in self.blocks:
            x = block(x)
        return self.lm_head(x)


def model():
    torch.manual_seed(4)
    return Model().to(torch.bfloat16)


CONFIG = QuantisationConfig(bits=4, block_size=64)
TOKENS = torch.arange(12).reshape(3, 4)


def kinds(module):
    return {
        name: type(layer)
        for name, layer in module.named_modules()
        if "Linear" in type(layer).__name__
    }


class ModelTest(unittest.TestCase):
    def test_every_linear_layer_is_replaced_but_the_head(self):
        original = model()
        state = copy.deepcopy(original.state_dict())
        made = quantise(original, CONFIG)
        quantised = {
            f"blocks.{i}.{name}": QuantisedLinear for i in (0, 1) for name in ("down", "up")
        }
        self.assertEqual(kinds(made), {**quantised, "lm_head": nn.Linear})
        self.assertEqual(set(kinds(original).values()), {nn.Linear})
        for name, tensor in original.state_dict().items():
            self.assertTrue(torch.equal(tensor, state[name]), name)
        theirs = {tensor.data_ptr() for tensor in original.state_dict().values()}
        self.assertFalse(theirs & {tensor.data_ptr() for tensor in made.state_dict().values()})
        self.assertIs(made.lm_head.weight, made.embed.weight)
        self.assertTrue(torch.equal(made.blocks[0].down.bias, original.blocks[0].down.bias))
        with torch.no_grad():
            error = (made(TOKENS) - original(TOKENS)).float().norm() / original(
                TOKENS
            ).float().norm()
        self.assertGreater(error.item(), 0)
        self.assertLess(error.item(), 0.1)

    def test_skip_says_what_stays(self):
        for skip, stays in (
            (r"\.up$", {"blocks.0.up", "blocks.1.up"}),
            (r"blocks\.0|lm_head", {"blocks.0.down", "blocks.0.up", "lm_head"}),
            (None, set()),
        ):
            with self.subTest(skip):
                found = kinds(quantise(model(), CONFIG, skip=skip))
                self.assertEqual({name for name, kind in found.items() if kind is nn.Linear}, stays)
        with self.assertWarnsRegex(UserWarning, "nothing was quantised"):
            quantise(model(), CONFIG, skip="")

    def test_a_layer_in_two_places_is_one_layer(self):
        shared = support.linear()
        made = quantise(nn.ModuleDict({"a": shared, "b": shared}), CONFIG)
        self.assertIs(made["a"], made["b"])
        self.assertIsInstance(made["a"], QuantisedLinear)
        kept = quantise(
            nn.ModuleDict({"a": shared, "b": shared, "c": support.linear()}), CONFIG, skip="b"
        )
        self.assertIs(type(kept["a"]), nn.Linear)
        self.assertIs(kept["a"], kept["b"])

    def test_subclasses_stay(self):
        attention = nn.MultiheadAttention(64, 4, dtype=torch.bfloat16)
        made = quantise(nn.ModuleDict({"a": attention, "b": support.linear()}), CONFIG)
        x = values(5, 1, 64)
        with torch.no_grad():
            self.assertTrue(torch.equal(made["a"](x, x, x)[0], attention(x, x, x)[0]))

    def test_the_copy_has_the_type_that_is_asked_for(self):
        made = quantise(model().float(), CONFIG, device="cpu", dtype=torch.float16, skip=None)
        floating = [t for t in made.state_dict().values() if t.is_floating_point()]
        self.assertEqual({tensor.dtype for tensor in floating}, {torch.float16})

    def test_modes_are_kept(self):
        made = quantise(model().eval(), CONFIG)
        self.assertFalse([name for name, module in made.named_modules() if module.training])

    def test_state_is_saved_and_loaded(self):
        made = quantise(model(), CONFIG)
        expected = made(TOKENS)
        file = io.BytesIO()
        torch.save(made.state_dict(), file)
        file.seek(0)
        state = torch.load(file, weights_only=True)
        self.assertEqual(
            [name for name in state if name.startswith("blocks.0.down")],
            [f"blocks.0.down.{name}" for name in ("bias", "weight_data", "scale", "lut")],
        )
        torch.manual_seed(77)
        empty = quantise(Model().to(torch.bfloat16), CONFIG)
        self.assertFalse(torch.equal(empty(TOKENS), expected))
        empty.load_state_dict(state)
        self.assertTrue(torch.equal(empty(TOKENS), expected))

    def test_an_empty_layer_takes_the_state_of_another(self):
        lut = torch.linspace(-2, 1, 16)
        for config in (
            CONFIG,
            QuantisationConfig(4, 64, lut),
            QuantisationConfig(2),
            QuantisationConfig(16),
        ):
            full = quantise(support.linear(), config)
            empty = QuantisedLinear(K, N, config=QuantisationConfig(config.bits, config.block_size))
            self.assertEqual(empty(values(3, K)).abs().max().item(), 0)
            empty.load_state_dict(full.state_dict())
            self.assertTrue(torch.equal(empty(values(3, K)), full(values(3, K))))
        with self.assertRaisesRegex(RuntimeError, "size mismatch for weight_data"):
            QuantisedLinear(K, N).load_state_dict(
                quantise(support.linear(n=N * 2), CONFIG).state_dict()
            )

    def test_models_are_copied_and_pickled(self):
        made = quantise(model(), CONFIG, table=support.table("host"))
        expected = made(TOKENS)
        file = io.BytesIO()
        torch.save(made, file)
        file.seek(0)
        for other in (
            copy.deepcopy(made),
            pickle.loads(pickle.dumps(made)),
            torch.load(file, weights_only=False),
        ):
            self.assertTrue(torch.equal(other(TOKENS), expected))
            other.blocks[0].down.scale.zero_()
            self.assertFalse(torch.equal(other(TOKENS), expected))
            self.assertTrue(torch.equal(made(TOKENS), expected))

    def test_a_whole_model_is_compiled(self):
        made = quantise(model(), CONFIG)
        compiled = torch.compile(made, backend="aot_eager", fullgraph=True)
        with torch.no_grad():
            self.assertTrue(torch.equal(compiled(TOKENS), made(TOKENS)))
        self.assertTrue(torch.equal(compiled(TOKENS), made(TOKENS)))


if __name__ == "__main__":
    unittest.main()
