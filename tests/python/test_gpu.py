import threading
import unittest

import support
import torch
from fdk.models import QuantisationConfig, quantise

SIZE = 4096  # of the one matrix that the GPU's table has


def layer(bias=False, seed=1):
    linear = support.linear(SIZE, SIZE, bias, seed=seed)
    config = QuantisationConfig()
    return quantise(linear, config, device="cuda", table=support.table("cuda"))


def values(*shape, seed=2):
    return support.values(*shape, SIZE, seed=seed).cuda()


def are_close(actual, expected):
    # Kernels may sum in another order each time.
    return ((actual.float() - expected.float()).norm() / expected.float().norm()).item() < 4e-3


@unittest.skipUnless(torch.cuda.is_available(), "PyTorch sees no CUDA device")
class GpuTest(unittest.TestCase):
    def assert_product(self, y, made, x):
        expected = x.float() @ support.dequantised(made).T
        if made.bias is not None:
            expected += made.bias.float()
        self.assertTrue(are_close(y, expected))

    def test_weights_on_a_gpu_are_quantised_there_to_the_same_bytes(self):
        for dtype in (torch.bfloat16, torch.float16):
            for bits in (8, 4, 2, 1):
                linear = torch.nn.Linear(SIZE, SIZE, bias=False)
                config = QuantisationConfig(bits=bits, block_size=64)
                there = quantise(linear.cuda(), config, dtype=dtype)
                here = quantise(linear.cpu(), config, dtype=dtype)
                self.assertTrue(there.weight_data.is_cuda)
                self.assertTrue(torch.equal(there.weight_data.cpu(), here.weight_data))
                self.assertTrue(torch.equal(there.scale.cpu(), here.scale))

    def test_it_multiplies_for_any_shape(self):
        for bias in (False, True):
            made = layer(bias)
            for shape in ((), (1,), (3, 5), (0, 4), (64,), (200,), (1000,)):
                with self.subTest(shape):
                    x = values(*shape)
                    y = made(x)
                    self.assertEqual(y.shape, x.shape)
                    if x.numel():
                        self.assert_product(y, made, x)
            self.assert_product(made(values(6)[::2]), made, values(6)[::2])

    def test_it_moves_between_devices(self):
        made = layer()
        x = values(5)
        expected = made(x)
        made.cpu()
        with self.assertRaisesRegex(ValueError, "x is on cuda:0, the layer on cpu"):
            made(x)
        with self.assertRaisesRegex(RuntimeError, "cannot run on host"):
            made(x.cpu())
        self.assertTrue(are_close(made.cuda()(x), expected))

    def test_a_graph_holds_it(self):
        made = layer(bias=True)
        x = values(5)
        with torch.no_grad():
            expected = made(x)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                y = made(x)
            y.zero_()
            graph.replay()
            self.assertTrue(are_close(y, expected))
            x.copy_(values(5, seed=8))
            graph.replay()
            self.assert_product(y, made, x)
            # What it was captured with stays, though the layer goes on with other weights.
            made.scale.mul_(2)
            made(x)
            before = y.clone()
            graph.replay()
            self.assertTrue(are_close(y, before))

    def test_a_first_call_while_a_graph_is_captured_is_refused(self):
        made = layer()
        x = values(5)
        with self.assertRaisesRegex(RuntimeError, "call it once before"):
            with torch.cuda.graph(torch.cuda.CUDAGraph()):
                made(x)
        torch.cuda.synchronize()
        self.assert_product(made(x), made, x)

    def test_it_is_compiled(self):
        made = layer(bias=True)
        for backend in ("aot_eager", "inductor"):
            torch._dynamo.reset()
            compiled = torch.compile(made, backend=backend, fullgraph=True)
            with torch.no_grad():
                for m in (5, 7, 64):
                    self.assert_product(compiled(values(m)), made, values(m))
        torch._dynamo.reset()
        reduced = torch.compile(made, mode="reduce-overhead", fullgraph=True)
        with torch.no_grad():
            for seed in range(5):
                x = values(5, seed=seed)
                self.assert_product(reduced(x).clone(), made, x)

    def test_streams_and_threads_share_a_layer(self):
        made = layer()
        inputs = [values(5, seed=seed) for seed in range(4)]
        expected = [made(x) for x in inputs]
        torch.cuda.synchronize()
        wrong = []

        def work(x, y):
            with torch.cuda.stream(torch.cuda.Stream()):
                products = [made(x) for _ in range(100)]
                torch.cuda.current_stream().synchronize()
            wrong.extend(product for product in products if not are_close(product, y))

        threads = [threading.Thread(target=work, args=pair) for pair in zip(inputs, expected)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(wrong), 0)


if __name__ == "__main__":
    unittest.main()
