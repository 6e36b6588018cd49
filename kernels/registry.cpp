#include "kernels/registry.hpp"

#include "src/core/hash.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <regex>
#include <set>
#include <stdexcept>
#include <utility>

namespace fdkbench {

/// The texts under kernels/, generated at build time (scripts/embed.py).
const std::vector<EmbeddedFile>& kernel_files();

namespace {

/// Inside a function, so that it exists before the first family registers itself.
std::vector<Family>& registered() {
    static std::vector<Family> families;
    return families;
}

std::vector<EmbeddedFile>& sources() {
    static std::vector<EmbeddedFile> files = kernel_files();
    return files;
}

const EmbeddedFile& file_at(std::span<const EmbeddedFile> files, const std::string& path) {
    const auto found = std::ranges::find(files, path, &EmbeddedFile::path);
    if (found == files.end()) {
        throw std::logic_error("no file " + path + " is built into the program");
    }
    return *found;
}

std::vector<std::string> included_paths(const std::string& text) {
    static const std::regex include_line(
        R"re((^|\n)[ \t]*#[ \t]*include[ \t]*"(kernels/[^"]+)")re");
    std::vector<std::string> paths;
    for (std::sregex_iterator match(text.begin(), text.end(), include_line), end; match != end;
         ++match) {
        paths.push_back((*match)[2]);
    }
    return paths;
}

void collect_headers(std::span<const EmbeddedFile> files,
                     const EmbeddedFile& file,
                     std::set<std::string>& found) {
    for (const std::string& path : included_paths(file.text)) {
        if (found.insert(path).second) {
            collect_headers(files, file_at(files, path), found);
        }
    }
}

/// Lengths separate the texts: moving a line from one file to the next changes the digest.
std::string digest_of(const KernelSource& source) {
    std::string all;
    const auto append = [&all](const EmbeddedFile& file) {
        all += file.path + ' ' + std::to_string(file.text.size()) + '\n' + file.text;
    };
    append(source.source);
    std::ranges::for_each(source.headers, append);
    return sha256(all);
}

}  // namespace

RegisterFamily::RegisterFamily(Family family) {
    std::vector<Family>& all = registered();
    const auto place = std::ranges::lower_bound(all, family.name, {}, &Family::name);
    all.insert(place, std::move(family));
}

RegisterSources::RegisterSources(const std::vector<EmbeddedFile>& files) {
    sources().insert(sources().end(), files.begin(), files.end());
}

const std::vector<Family>& families() {
    return registered();
}

const Family& family_named(std::string_view name) {
    const auto found = std::ranges::find(families(), name, &Family::name);
    if (found == families().end()) {
        throw std::out_of_range("no kernel family is called " + std::string(name));
    }
    return *found;
}

KernelSource resolve_source(std::span<const EmbeddedFile> files, const std::string& path) {
    KernelSource source{file_at(files, path), {}, {}};
    std::set<std::string> headers;
    collect_headers(files, source.source, headers);
    for (const std::string& header : headers) {
        source.headers.push_back(file_at(files, header));
    }
    source.digest = digest_of(source);
    return source;
}

const KernelSource& kernel_source(const Family& family) {
    static std::map<std::string, KernelSource> resolved;
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    const auto found = resolved.find(family.source);
    if (found != resolved.end()) {
        return found->second;
    }
    return resolved.emplace(family.source, resolve_source(sources(), family.source)).first->second;
}

}  // namespace fdkbench
