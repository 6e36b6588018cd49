#include "results/merge.hpp"
#include "src/cli/commands.hpp"
#include "src/cli/output.hpp"
#include "src/core/counted.hpp"

#include <fmt/format.h>

namespace fdkbench {
namespace {

std::string counts_text(const std::string& path, const MergeCounts& counts) {
    return fmt::format("{}: {} added, {} replaced, {} kept as they were\n",
                       path,
                       counted(counts.added, "row"),
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
    text += fmt::format("{} now has {} in {}\n",
                        options.output,
                        counted(result.measurements, "row"),
                        counted(result.cells, "cell"));
    write_output("", text);
    return ExitCode::kDone;
}

}  // namespace fdkbench
