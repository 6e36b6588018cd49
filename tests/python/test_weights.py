import os
import unittest

import support
import torch
from fdk.models import QuantisationConfig, QuantisedLinear, quantise


def quantised(weight, config):
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False, dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
    return quantise(layer, config)


class WeightsTest(unittest.TestCase):
    def test_weights_and_scales_are_the_golden_vectors_to_the_bit(self):
        path = os.environ.get("FDKBENCH_GOLDEN", "")
        if not os.path.exists(path):
            self.skipTest("there are no golden vectors at $FDKBENCH_GOLDEN")
        golden = support.Golden(path)
        for name in ("b8_g64", "b4_g64", "b2_g64", "b1_g64", "b4_g64_lut"):
            with self.subTest(name):
                byte_lut = golden[f"{name}.byte_lut"]
                bits = 8 // byte_lut.shape[1]
                # A byte's last element stands in its lowest bits.
                lut = byte_lut[: 2**bits, -1]
                config = QuantisationConfig(bits, 64, lut if name.endswith("lut") else None)
                layer = quantised(golden[f"{name}.weight"], config)
                self.assertTrue(torch.equal(layer.weight_data, golden[f"{name}.weight_data"]))
                self.assertTrue(torch.equal(layer.scale, golden[f"{name}.scale"]))
                self.assertTrue(torch.equal(layer.lut, lut))
                self.assertTrue(
                    torch.equal(support.dequantised(layer), golden[f"{name}.dequantised"])
                )

    def test_quantised_weights_are_near_the_original(self):
        weight = support.values(support.N, support.K, dtype=torch.float32)
        for bits, most in ((8, 0.01), (4, 0.12), (2, 0.55), (1, 0.65)):
            layer = quantised(weight.bfloat16(), QuantisationConfig(bits))
            error = (support.dequantised(layer) - weight).norm() / weight.norm()
            self.assertLess(error.item(), most, bits)
        plain = quantised(weight.bfloat16(), QuantisationConfig(16))
        self.assertTrue(torch.equal(plain.weight_data, weight.bfloat16()))

    def test_wide_weights_are_rounded_to_the_type_first(self):
        linear = torch.nn.Linear(support.K, support.N, dtype=torch.float64)
        for dtype in (torch.bfloat16, torch.float16):
            wide = quantise(linear, QuantisationConfig(), dtype=dtype)
            narrow = quantise(torch.nn.Linear(support.K, support.N).to(dtype), QuantisationConfig())
            self.assertEqual(wide.scale.dtype, dtype)
            self.assertEqual(wide.bias.dtype, dtype)
            narrow.load_state_dict(
                quantise(linear.to(torch.float32), QuantisationConfig(), dtype=dtype).state_dict()
            )
            self.assertTrue(torch.equal(wide.weight_data, narrow.weight_data))

    def test_a_lut_gives_the_values(self):
        lut = [-1, -0.5, 0.25, 1]
        layer = quantised(support.values(support.N, support.K), QuantisationConfig(2, 64, lut))
        self.assertEqual(layer.lut.tolist(), lut)
        normalised = support.dequantised(layer) / layer.scale.float().repeat_interleave(64, 1)
        self.assertEqual(sorted(set(normalised.flatten().tolist())), lut)
        x = support.values(3, support.K)
        self.assertLess(support.nrmse(layer(x), layer, x), 4e-3)

    def test_configurations_that_cannot_be_are_refused(self):
        for arguments, words in (
            ({"bits": 3}, "3 bits"),
            ({"block_size": 0}, "block_size cannot be 0"),
            ({"block_size": 2.5}, "block_size cannot be 2.5"),
            ({"bits": 1, "block_size": 12}, "whole bytes"),
            ({"bits": 2, "lut": [0, 1]}, "2 values: 2 bits need 4"),
            ({"bits": 1, "lut": [1, 0]}, "ascending"),
            ({"bits": 1, "lut": [0, float("nan")]}, "finite"),
            ({"bits": 16, "lut": [0, 1]}, "have no lut"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                QuantisationConfig(**arguments)

    def test_weights_that_cannot_be_quantised_are_refused(self):
        config = QuantisationConfig()
        with self.assertRaisesRegex(TypeError, "weights are torch.float32: give dtype="):
            quantise(torch.nn.Linear(64, 64), config)
        with self.assertRaisesRegex(TypeError, "dtype cannot be torch.float32"):
            quantise(torch.nn.Linear(64, 64), config, dtype=torch.float32)
        with self.assertRaisesRegex(ValueError, "in_features 96 is no multiple of block_size 64"):
            quantise(support.linear(k=96), config)
        with self.assertRaisesRegex(ValueError, "device meta"):
            quantise(torch.nn.Linear(64, 64, device="meta", dtype=torch.bfloat16), config)
        broken = support.linear()
        with torch.no_grad():
            broken.weight[3, 5] = float("inf")
        with self.assertRaisesRegex(ValueError, r"^1: weight \[3, 5\] is inf"):
            quantise(torch.nn.Sequential(torch.nn.ReLU(), broken), config)
        with self.assertRaisesRegex(TypeError, "torch.float32"):
            QuantisedLinear(64, 64, dtype=torch.float32)


if __name__ == "__main__":
    unittest.main()
