#if !__has_include(<catch2/catch_all.hpp>)
#define CATCH_CONFIG_RUNNER
#endif
#include "tests/catch.hpp"

#include <cstdio>
#include <cstdlib>

void skip_program(const std::string& reason) {
    std::printf("SKIPPED: %s\n", reason.c_str());
    std::fflush(stdout);
    std::_Exit(77);
}

int main(int argc, char** argv) {
    return Catch::Session().run(argc, argv);
}
