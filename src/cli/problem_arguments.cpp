#include "src/cli/problem_arguments.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace fdkbench {
namespace {

/// " [1 4 16]"; "" for none.
template <typename Value>
std::string shown(const std::vector<Value>& defaults) {
    return defaults.empty() ? "" : fmt::format(" [{}]", fmt::join(defaults, " "));
}

template <typename Value>
void fill(std::vector<Value>& values, const std::vector<Value>& defaults) {
    if (values.empty()) {
        values = defaults;
    }
}

}  // namespace

void add_axes(CLI::App& app, ProblemArguments& arguments, const AxisDefaults& defaults) {
    app.add_option("-m", arguments.axes.m, "Batch sizes (tokens)" + shown(defaults.m));
    app.add_option("-k", arguments.axes.k, "Reduction sizes" + shown(defaults.k));
    app.add_option(
        "-n", arguments.axes.n, "Output features: numbers, or 'k' for n = k" + shown(defaults.n));
    app.add_option(
        "-b,--bits", arguments.axes.bits, "Weight bits: 16, 8, 4, 2 or 1" + shown(defaults.bits));
    app.add_option("-g,--group-size",
                   arguments.axes.group_size,
                   "Weights that share a scale: numbers, or 'k' for one scale a row" +
                       shown(defaults.group_size));
    app.add_option("-t,--type",
                   arguments.types,
                   "Type of activations and scales: bf16, fp16" + shown(defaults.types));
    app.add_option(
        "--shape", arguments.axes.shapes, "Single shapes MxNxK, instead of (or beside) -m -n -k");
}

ProblemAxes typed_axes(const ProblemArguments& arguments) {
    ProblemAxes axes = arguments.axes;
    for (const std::string& type : arguments.types) {
        try {
            axes.types.push_back(element_type_from(type));
        } catch (const std::invalid_argument&) {
            throw UsageError(fmt::format("--type '{}' is not known: bf16 or fp16", type));
        }
    }
    return axes;
}

ProblemAxes complete_axes(ProblemArguments arguments, const AxisDefaults& defaults) {
    ProblemAxes& typed = arguments.axes;
    const bool only_shapes =
        !typed.shapes.empty() && typed.m.empty() && typed.k.empty() && typed.n.empty();
    if (!only_shapes) {
        fill(typed.m, defaults.m);
        fill(typed.k, defaults.k);
        fill(typed.n, defaults.n);
    }
    fill(typed.bits, defaults.bits);
    fill(typed.group_size, defaults.group_size);
    fill(arguments.types, defaults.types);
    return typed_axes(arguments);
}

}  // namespace fdkbench
