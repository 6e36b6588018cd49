#include "src/core/artifact_cache.hpp"
#include "src/core/hash.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <algorithm>

using namespace fdkbench;

namespace {

const std::string kKey(64, 'a');
const std::string kContent = "a kernel";

}  // namespace

/// Any bytes as a key file, before the first newline, and as the kernel that it names, behind it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::filesystem::path folder = fuzz::scratch_folder();
    static const ArtifactCache cache(folder);
    static const std::string hash = sha256(kContent);
    const std::string_view text = fuzz::text_of(data, size);
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view key_file = text.substr(0, end);
    const std::string_view object = text.substr(std::min(end + 1, text.size()));
    fuzz::write_file(folder / "keys" / kKey, key_file);
    fuzz::write_file(folder / "objects" / hash, object);
    const auto found = cache.find(kKey);
    const bool whole = key_file == kKey + ' ' + hash && object == kContent;
    fuzz::require(found.has_value() == whole, "only a whole kernel is found, under its own key");
    cache.remove_leftovers();
    return 0;
}
