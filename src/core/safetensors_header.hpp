#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

/// JSON in files that may be damaged or hostile: the headers of safetensors files, and the indices
/// of models in several of them.
namespace fdkbench::safetensors {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// What is wrong with a file; the message lacks only the file's name.
class Fault : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Finds a key in logarithmic time, which fdkbench::Json does not.
using Header = nlohmann::json;

/// Throws a Fault for what is no JSON object, repeats a key or is nested deeper than a header is.
Header parse_header(std::string_view text);

/// A word from a file, quoted, short and on one line, for a message.
std::string shown(std::string_view word);

}  // namespace fdkbench::safetensors
