#include "tests/kernels/patched.hpp"

#include "tests/catch.hpp"

#include <vector>

namespace fdkbench::testing {

KernelSource patched(const Family& family, const std::string& from, const std::string& to) {
    KernelSource source = kernel_source(family);
    std::vector<EmbeddedFile*> files{&source.source};
    for (EmbeddedFile& header : source.headers) {
        files.push_back(&header);
    }
    int found = 0;
    for (EmbeddedFile* file : files) {
        for (auto at = file->text.find(from); at != std::string::npos;
             at = file->text.find(from, at + to.size())) {
            file->text.replace(at, from.size(), to);
            ++found;
        }
    }
    REQUIRE(found > 0);
    return source;
}

}  // namespace fdkbench::testing
