#include "src/cli/parse.hpp"

#include "src/cli/commands.hpp"
#include "src/cli/subcommand.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <vector>

namespace fdkbench {
namespace {

constexpr std::array kSubcommands{add_devices,
                                  add_sweep,
                                  add_verify,
                                  add_noise,
                                  add_merge,
                                  add_export,
                                  add_explain,
                                  add_table_check,
                                  add_quantise,
                                  add_query};

class Parser {
  public:
    Parser() : app_("Finds the fastest low-bit matrix kernels of the device in front of you.") {
        app_.name("fdkbench");
        app_.require_subcommand(0, 1);
        app_.add_flag("--version", version_, "Version, commit, compiler, CUDA, NVRTC, driver");
        app_.footer(
            "Examples:\n"
            "  fdkbench devices --measure\n"
            "  fdkbench sweep -b 16 8 4 2 1 -k 8192 6144\n"
            "  fdkbench export-table --format header -o fdkbench_table.hpp\n"
            "  fdkbench explain -m 16 -n 4096 -k 4096 -b 4\n"
            "  fdkbench query \"SELECT m, bits, family, time_us, ratio FROM best\"\n"
            "  fdkbench quantise model.safetensors -o model-4bit.safetensors");
        for (const auto add : kSubcommands) {
            subcommands_.push_back(add(app_));
        }
    }

    Command parse(int argc, const char* const* argv) {
        try {
            app_.parse(argc, argv);
        } catch (const CLI::CallForHelp&) {
            return help();
        } catch (const CLI::ParseError& error) {
            throw UsageError(fmt::format("{}. Try: fdkbench {}--help", error.what(), asked()));
        }
        if (version_) {
            return run_version;
        }
        const Subcommand* chosen = parsed();
        return chosen == nullptr
                   ? help()
                   : chosen->command(fmt::format("{}", fmt::join(argv, argv + argc, " ")));
    }

  private:
    /// The subcommand that was typed; null without one.
    [[nodiscard]] const Subcommand* parsed() const {
        const auto found = std::find_if(
            subcommands_.begin(), subcommands_.end(), [](const Subcommand& subcommand) {
                return subcommand.app->parsed();
            });
        return found == subcommands_.end() ? nullptr : &*found;
    }

    [[nodiscard]] Command help() const {
        const Subcommand* chosen = parsed();
        return [text = chosen == nullptr ? app_.help() : chosen->app->help()] {
            fmt::print("{}", text);
            return ExitCode::kDone;
        };
    }

    /// "sweep " when the failing words followed that subcommand.
    [[nodiscard]] std::string asked() const {
        const Subcommand* chosen = parsed();
        return chosen == nullptr ? "" : chosen->app->get_name() + " ";
    }

    CLI::App app_;
    std::vector<Subcommand> subcommands_;
    bool version_ = false;
};

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
    return Parser().parse(argc, argv);
}

}  // namespace fdkbench
