#include "src/cli/problem_arguments.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace fdkbench {

void add_axes(CLI::App& app, ProblemArguments& arguments, const AxisDefaults& defaults) {
    app.add_option("-m",
                   arguments.axes.m,
                   fmt::format("Batch sizes (tokens) [{}]", fmt::join(defaults.m, " ")));
    app.add_option("-k", arguments.axes.k, "Reduction sizes [4096]");
    app.add_option("-n", arguments.axes.n, "Output features: numbers, or 'k' for n = k [k]");
    app.add_option(
        "-b,--bits",
        arguments.axes.bits,
        fmt::format("Weight bits: 16, 8, 4, 2 or 1 [{}]", fmt::join(defaults.bits, " ")));
    app.add_option("-g,--group-size",
                   arguments.axes.group_size,
                   "Weights that share a scale: numbers, or 'k' for one scale a row [64]");
    app.add_option("-t,--type", arguments.types, "Type of activations and scales: bf16, fp16")
        ->default_str("bf16");
    app.add_option(
        "--shape", arguments.axes.shapes, "Single shapes MxNxK, instead of (or beside) -m -n -k");
}

ProblemAxes complete_axes(const ProblemArguments& arguments, const AxisDefaults& defaults) {
    ProblemAxes axes = arguments.axes;
    const bool only_shapes =
        !axes.shapes.empty() && axes.m.empty() && axes.k.empty() && axes.n.empty();
    if (!only_shapes) {
        if (axes.m.empty()) {
            axes.m = defaults.m;
        }
        if (axes.k.empty()) {
            axes.k = {4096};
        }
        if (axes.n.empty()) {
            axes.n = {"k"};
        }
    }
    if (axes.bits.empty()) {
        axes.bits = defaults.bits;
    }
    if (axes.group_size.empty()) {
        axes.group_size = {"64"};
    }
    for (const std::string& type : arguments.types) {
        try {
            axes.types.push_back(element_type_from(type));
        } catch (const std::invalid_argument&) {
            throw UsageError(fmt::format("--type '{}' is not known: bf16 or fp16", type));
        }
    }
    if (axes.types.empty()) {
        axes.types = {ElementType::kBf16};
    }
    return axes;
}

}  // namespace fdkbench
