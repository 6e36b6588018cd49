#pragma once

// Debian 12 ships Catch2 2, newer systems Catch2 3; tests use what both have.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
#else
#include <catch2/catch.hpp>
namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& text) {
    return Contains(text);
}
}  // namespace Catch::Matchers
using Catch::Matchers::ContainsSubstring;
#endif

/// Ends the test program as skipped (exit code 77), saying why.
[[noreturn]] void skip_program(const std::string& reason);
