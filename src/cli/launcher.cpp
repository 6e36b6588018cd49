#include "src/cli/launcher.hpp"

#include "src/core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace fdkbench {
namespace {

constexpr std::string_view kBlanks = " \t\n";
/// What a backslash keeps between double quotes; before anything else it stands for itself.
constexpr std::string_view kKeptInQuotes = "\"\\$`";

/// Goes through the text once.
class Splitter {
  public:
    explicit Splitter(const std::string& text) : text_(text), rest_(text) {}

    std::vector<std::string> words() {
        std::vector<std::string> words;
        while (skip_blanks()) {
            words.push_back(word());
        }
        return words;
    }

  private:
    bool skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
        return !rest_.empty();
    }

    std::string word() {
        std::string word;
        while (!rest_.empty() && kBlanks.find(rest_.front()) == kBlanks.npos) {
            const char c = take("");
            if (c == '\'') {
                take_single_quoted(word);
            } else if (c == '"') {
                take_double_quoted(word);
            } else {
                word += c == '\\' ? take("ends with a backslash") : c;
            }
        }
        return word;
    }

    void take_single_quoted(std::string& word) {
        for (char c = take_quoted('\''); c != '\''; c = take_quoted('\'')) {
            word += c;
        }
    }

    void take_double_quoted(std::string& word) {
        for (char c = take_quoted('"'); c != '"'; c = take_quoted('"')) {
            const bool keeps_next =
                c == '\\' && !rest_.empty() && kKeptInQuotes.find(rest_.front()) != rest_.npos;
            word += keeps_next ? take_quoted('"') : c;
        }
    }

    char take_quoted(char quote) {
        return take(quote == '"' ? "has a \" that is not closed" : "has a ' that is not closed");
    }

    /// The next character; what is wrong when there is none.
    char take(std::string_view problem) {
        if (rest_.empty()) {
            throw UsageError(fmt::format(
                "--launcher <{}> {}: write it as in a shell, for example --launcher \"srun -G1\"",
                text_,
                problem));
        }
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    const std::string& text_;
    std::string_view rest_;
};

}  // namespace

std::vector<std::string> launcher_words(const std::string& prefix) {
    return Splitter(prefix).words();
}

}  // namespace fdkbench
