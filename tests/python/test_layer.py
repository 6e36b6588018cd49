import gc
import threading
import unittest

import support
import torch
from fdk import linear as operator
from fdk.models import QuantisationConfig, QuantisedLinear, quantise
from support import K, N, nrmse, values

MAX_NRMSE = 4e-3


def layer(bits=4, dtype=torch.bfloat16, bias=True, seed=1):
    return quantise(support.linear(bias=bias, dtype=dtype, seed=seed), QuantisationConfig(bits))


class LayerTest(unittest.TestCase):
    def test_it_multiplies_at_every_width_in_both_types(self):
        for bits, dtype in support.FORMATS:
            for bias in (False, True):
                with self.subTest(bits=bits, dtype=dtype, bias=bias):
                    made = layer(bits, dtype, bias)
                    x = values(5, K, dtype=dtype)
                    y = made(x)
                    self.assertEqual((y.shape, y.dtype), ((5, N), dtype))
                    self.assertLess(nrmse(y, made, x), MAX_NRMSE)

    def test_inputs_have_any_number_of_dimensions_or_rows(self):
        made = layer()
        for shape in ((), (1,), (7,), (2, 3), (2, 1, 3, 2), (0,), (3, 0), (600,)):
            with self.subTest(shape):
                x = values(*shape, K)
                y = made(x)
                self.assertEqual(y.shape, (*shape, N))
                if x.numel():
                    self.assertLess(nrmse(y, made, x), MAX_NRMSE)

    def test_inputs_lie_in_memory_as_they_like(self):
        made = layer()
        for name, x in (
            ("transposed", values(K, 6).T),
            ("every other row", values(12, K)[::2]),
            ("expanded", values(1, K).expand(6, K)),
            ("at an odd address", values(6 * K + 1)[1:].reshape(6, K)),
            ("permuted", values(2, K, 3).permute(2, 0, 1)),
        ):
            with self.subTest(name):
                before = x.clone()
                self.assertLess(nrmse(made(x), made, x), MAX_NRMSE)
                self.assertTrue(torch.equal(x, before))

    def test_what_does_not_fit_is_refused_in_words(self):
        made = layer()
        with self.assertRaisesRegex(TypeError, r"x is torch.float32.*x.to\(torch.bfloat16\)"):
            made(values(5, K).float())
        with self.assertRaisesRegex(TypeError, "x is torch.float16"):
            made(values(5, K).half())
        for x in (values(5, K // 2), values(K, 5), values(1).squeeze()):
            with self.assertRaisesRegex(ValueError, "last dimension has to be 256"):
                made(x)
        with self.assertRaisesRegex(ValueError, "x is on meta, the layer on cpu"):
            made(values(5, K).to("meta"))
        with self.assertRaisesRegex(TypeError, r"torch.float32.*to\(torch.bfloat16\)"):
            layer().float()(values(5, K).float())
        with self.assertRaisesRegex(RuntimeError, "no kernel for n=128 k=256 bits=4.*sweep"):
            quantise(support.linear(n=128), QuantisationConfig())(values(5, K))
        with self.assertRaisesRegex(RuntimeError, "group_size=32"):
            quantise(support.linear(), QuantisationConfig(4, 32))(values(5, K))
        broken = layer()
        broken.lut = broken.lut[:15]
        with self.assertRaisesRegex(ValueError, "lut has 15 values"):
            broken(values(5, K))
        self.assertLess(nrmse(made(values(5, K)), made, values(5, K)), MAX_NRMSE)

    def test_gradients_are_refused_only_when_they_are_asked_for(self):
        made = layer()
        x = values(5, K).requires_grad_()
        y = made(x)
        self.assertTrue(y.requires_grad)
        with self.assertRaisesRegex(RuntimeError, r"gradient was asked for.*torch.no_grad\(\)"):
            y.sum().backward()
        self.assertFalse(made(x.detach()).requires_grad)
        self.assertFalse([p for p in made.parameters() if p.requires_grad])

    def test_buffers_that_change_are_what_is_multiplied_with(self):
        made, other = layer(), layer(seed=9)
        x = values(5, K)
        made(x)
        for name, change in (
            ("scale in place", lambda: made.scale.mul_(2)),
            ("codes in place", lambda: made.weight_data.bitwise_not_()),
            ("lut in place", lambda: made.lut.mul_(0.5)),
            ("inference mode", lambda: made.scale.mul_(2)),
            ("another scale", lambda: setattr(made, "scale", made.scale * 3)),
            ("load_state_dict", lambda: made.load_state_dict(other.state_dict())),
            ("assign", lambda: made.load_state_dict(layer(seed=5).state_dict(), assign=True)),
            ("the type", lambda: made.half()),
            ("and back", lambda: made.bfloat16()),
        ):
            with self.subTest(name):
                with torch.inference_mode(name == "inference mode"), torch.no_grad():
                    change()
                    typed = x.to(made.scale.dtype)
                    self.assertLess(nrmse(made(typed), made, typed), MAX_NRMSE)

    def test_it_works_in_inference_mode(self):
        with torch.inference_mode():
            made = layer()
            self.assertFalse(made.scale.is_inference())
            x = values(5, K)
            self.assertLess(nrmse(made(x), made, x), MAX_NRMSE)

    def test_a_matrix_lives_as_long_as_its_weights(self):
        gc.collect()
        before = operator.matrices()
        made = layer()
        x = values(5, K)
        for _ in range(3):
            made(x)
        self.assertEqual(operator.matrices(), before + 1)
        made.scale.mul_(2)
        made(x)
        self.assertEqual(operator.matrices(), before + 1)
        del made
        gc.collect()
        self.assertEqual(operator.matrices(), before)

    def test_a_thousand_matrices_leave_no_memory_behind(self):
        def resident():
            with open("/proc/self/statm", encoding="ascii") as statm:
                return int(statm.read().split()[1]) * 4096

        made = layer()
        x = values(1, K)
        expected = made(x)

        def cycles(count):
            for _ in range(count):
                made.weight_data = made.weight_data.clone()
                made(x)

        before = operator.matrices()
        cycles(200)
        at_first = resident()
        cycles(1000)
        # Packed weights alone would be 8 MB and more.
        self.assertLess(resident() - at_first, 4 << 20)
        self.assertEqual(operator.matrices(), before)
        self.assertTrue(torch.equal(made(x), expected))

    def test_several_threads_call_and_change_layers(self):
        shared = layer()
        x = values(3, K)
        expected = shared(x)
        fresh = layer()
        wrong = []

        def work(seed):
            own = layer(seed=seed)
            for _ in range(50):
                if not torch.equal(shared(x), expected) or not torch.equal(fresh(x), expected):
                    wrong.append("another product")
                own.scale = own.scale * 1
                if nrmse(own(x), own, x) > MAX_NRMSE:
                    wrong.append("a wrong product")

        before = operator.matrices()
        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        gc.collect()
        self.assertEqual(wrong, [])
        self.assertEqual(operator.matrices(), before + 1)  # fresh

    def test_it_shows_what_it_is(self):
        self.assertEqual(
            repr(layer()),
            "QuantisedLinear(in_features=256, out_features=64, bias=True, bits=4, block_size=64)",
        )
        self.assertIn(
            "bias=False, bits=16)", repr(QuantisedLinear(8, 8, False, QuantisationConfig(16)))
        )


class CompiledTest(unittest.TestCase):
    def setUp(self):
        torch._dynamo.reset()

    def test_it_is_traced_whole(self):
        made = layer()
        compiled = torch.compile(made, backend="aot_eager", fullgraph=True)
        before = None
        with torch.no_grad():
            for x in (values(5, K), values(2, 3, K), values(7, K), values(9, K), values(0, K)):
                self.assertTrue(torch.equal(compiled(x), made(x)))
                before = before or operator.matrices()
            made.scale.mul_(2)
            x = values(5, K)
            self.assertTrue(torch.equal(compiled(x), made(x)))
            self.assertLess(nrmse(compiled(x), made, x), MAX_NRMSE)
        self.assertEqual(operator.matrices(), before)

    def test_layers_of_one_shape_share_a_graph(self):
        count = torch._dynamo.testing.CompileCounterWithBackend("aot_eager")
        blocks = [layer(seed=seed) for seed in range(4)]

        @torch.compile(backend=count, fullgraph=True)
        def block(linear, x):
            return torch.relu(linear(x))

        x = values(5, K)
        with torch.no_grad():
            for each in blocks:
                self.assertTrue(torch.equal(block(each, x), torch.relu(each(x))))
        self.assertLessEqual(count.frame_count, 2)

    def test_gradients_are_refused_when_they_run(self):
        compiled = torch.compile(layer(), backend="aot_eager", fullgraph=True)
        y = compiled(values(5, K).requires_grad_())
        with self.assertRaisesRegex(RuntimeError, "gradient was asked for"):
            y.sum().backward()

    def test_the_operator_is_as_pytorch_wants_it(self):
        made = layer()
        arguments = (values(5, K), made.weight_data, made.scale, made.lut, "")
        torch.library.opcheck(torch.ops.fdk.linear, arguments)

    def test_it_is_exported(self):
        made = layer()
        x = values(5, K)
        exported = torch.export.export(made, (x,)).module()
        self.assertTrue(torch.equal(exported(x), made(x)))


if __name__ == "__main__":
    unittest.main()
