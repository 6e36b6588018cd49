#include "results/merge.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/output.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

std::string counts_text(const std::string& path, const MergeCounts& counts) {
    return fmt::format("{}: {} rows added, {} replaced, {} kept as they were\n",
                       path,
                       counts.added,
                       counts.replaced,
                       counts.kept);
}

}  // namespace

ExitCode run_merge(const MergeOptions& options) {
    const MergeResult result =
        merge(options.output, {options.inputs.begin(), options.inputs.end()});
    std::string text;
    for (std::size_t i = 0; i < options.inputs.size(); ++i) {
        text += counts_text(options.inputs[i], result.inputs[i]);
    }
    text += fmt::format(
        "{} now has {} rows in {} cells\n", options.output, result.measurements, result.cells);
    write_output("", text);
    return ExitCode::kDone;
}

}  // namespace fdkbench
