#include "src/core/bundle.hpp"

#include "src/core/hash.hpp"
#include "src/fdk/serving_table.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <fmt/format.h>

#include <algorithm>

using namespace fdkbench;

namespace {

void read(std::string_view content) {
    const auto path = fuzz::scratch_folder() / "bundle";
    fuzz::write_file(path, content);
    fuzz::refuse_cleanly([&] {
        const Bundle bundle = read_bundle(path);
        std::size_t bytes = 0;
        for (const auto& [hash, binary] : bundle.binaries) {
            fuzz::require(sha256(binary) == hash, "a binary is what its hash says");
            bytes += binary.size();
        }
        fuzz::require(bytes <= content.size(), "binaries lie within their file");
    });
    fuzz::refuse_cleanly([&] {
        const ServingTable table = read_serving_table(path);
        for (const ServingEntry& entry : table.entries) {
            fuzz::require(table.binaries.contains(entry.binary_hash), "every kernel is there");
            fuzz::require(!table.entries_for(entry.problem).empty(), "an entry is found");
        }
    });
}

}  // namespace

/// Any bytes as a bundle, and as what follows a first line that is right: the index up to the first
/// line's end, then binaries.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    read(text);
    const std::string_view index = text.substr(0, text.find('\n'));
    const std::string_view rest = text.substr(std::min(text.size(), index.size() + 1));
    read(fmt::format("fdkbench-bundle {} {} {}\n{}{}",
                     Bundle::kVersion,
                     index.size(),
                     sha256(index),
                     index,
                     rest));
    return 0;
}
