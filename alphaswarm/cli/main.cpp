// alphaswarm: one binary, one subcommand for each role. This file reads the command line; each
// command is in a file of its name.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "alphaswarm/base/log.hpp"
#include "alphaswarm/cli/command_description.hpp"
#include "alphaswarm/cli/commands.hpp"
#include "alphaswarm/cli/completion.hpp"
#include "alphaswarm/cli/man_page.hpp"
#include "alphaswarm/cli/pages.hpp"
#include "alphaswarm/cli/version.hpp"

namespace alphaswarm::cli {
namespace {

struct Options {
  std::string dotenv = ".env";
  UpOptions up;
  ServiceOptions service;
  PaperRunOptions paper;
  BacktestRunOptions backtest;
  IngestOptions ingest;
  CollectorOptions collector;
  TraceOptions trace;
  DoctorOptions doctor;
  bool markdown = false;
  std::string shell;  // completion
  ManOptions man;
};

void add_data_dir(CLI::App* command, std::filesystem::path& target) {
  command->add_option("--data-dir", target, "folder of the databases (default: data)")
      ->type_name("FOLDER");
}

void add_port_offset(CLI::App* command, int& target) {
  command->add_option("--port-offset", target, "added to every port")->check(CLI::Range(0, 48000));
}

void add_services(CLI::App& app, Options& options) {
  CLI::App* up = app.add_subcommand("up", "start everything in one process and run the demo");
  up->add_flag("--once", options.up.once, "run the demo, print the summary, stop");
  up->add_flag_callback(
      "--no-demo", [&] { options.up.demo = false; }, "start everything and run nothing");
  add_port_offset(up, options.up.port_offset);
  add_data_dir(up, options.up.data_dir);
  up->add_option("--market-data", options.up.market_data,
                 "folder with aapl.csv and sp500-2000.csv, for the demo")
      ->type_name("FOLDER");

  for (const auto& [name, help] :
       {std::pair{"api", "serve the HTTP API"}, std::pair{"worker", "run tasks from the queue"},
        std::pair{"exchange", "serve the simulated exchange"}}) {
    CLI::App* command = app.add_subcommand(name, help);
    add_data_dir(command, options.service.data_dir);
    if (std::string(name) == "worker") {
      command->add_option("--queues", options.service.queues, "take only these queues")
          ->delimiter(',');
    } else {
      command->add_option("--port", options.service.port, "listen here")
          ->check(CLI::Range(1, 65535));
    }
  }

  CLI::App* collector = app.add_subcommand("collector", "collect, keep and show traces");
  collector
      ->add_option("--config", options.collector.config,
                   "file in the OpenTelemetry Collector's YAML (default: built in)")
      ->type_name("FILE");
  add_port_offset(collector, options.collector.port_offset);
  add_data_dir(collector, options.collector.data_dir);
}

void add_jobs(CLI::App& app, Options& options) {
  CLI::App* paper = app.add_subcommand("paper", "paper trading")->require_subcommand(1);
  CLI::App* paper_run = paper->add_subcommand("run", "run one session here and now");
  paper_run->add_option("--config", options.paper.config, "session in YAML")
      ->type_name("FILE")
      ->required();
  paper_run->add_option("--run-name", options.paper.run_name, "name of the run");
  add_data_dir(paper_run, options.paper.data_dir);

  CLI::App* backtest = app.add_subcommand("backtest", "backtests")->require_subcommand(1);
  CLI::App* backtest_run = backtest->add_subcommand("run", "run one backtest here and now");
  backtest_run->add_option("--config", options.backtest.config, "backtest in YAML")
      ->type_name("FILE")
      ->required();
  backtest_run->add_option("--run-name", options.backtest.run_name, "name of the run");
  backtest_run
      ->add_option("--csv", options.backtest.csv,
                   "bars of this file instead of the database's; nothing is stored")
      ->type_name("FILE");
  backtest_run->add_flag("--json", options.backtest.json, "print the whole result as JSON");
  add_data_dir(backtest_run, options.backtest.data_dir);

  CLI::App* ingest = app.add_subcommand("ingest", "read bars from CSV files into the database");
  ingest->add_option("path", options.ingest.path, "a file or a folder")
      ->type_name("PATH")
      ->required();
  ingest->add_option("--symbol", options.ingest.symbol,
                     "TICKER.EXCHANGE, for files without a symbol column");
  ingest->add_option("--glob", options.ingest.glob, "files of a folder (default: *.csv)");
  ingest->add_option("--tz", options.ingest.tz, "time zone of times without one (default: UTC)");
  ingest->add_option("--column", options.ingest.columns, "FIELD=COLUMN, repeated");
  ingest->add_option("--interval", options.ingest.interval,
                     "1d, 1h, 1m … (default: from the data)");
  add_data_dir(ingest, options.ingest.data_dir);
}

void add_tools(CLI::App& app, Options& options) {
  CLI::App* trace = app.add_subcommand("trace", "look at traces")->require_subcommand(1);
  trace->add_option("--url", options.trace.url,
                    "query server: ours or a Jaeger (default: http://127.0.0.1:16686)");
  CLI::App* list = trace->add_subcommand("list", "newest traces")->fallthrough();
  list->add_option("--service", options.trace.service, "only traces of this service");
  list->add_option("--operation", options.trace.operation, "only traces with this operation");
  list->add_option("--limit", options.trace.limit, "how many (default: 20)")
      ->check(CLI::Range(1, 10000));
  CLI::App* get = trace->add_subcommand("get", "one trace as OTLP JSON")->fallthrough();
  get->add_option("id", options.trace.id, "trace id, hex")->required();
  CLI::App* tree = trace->add_subcommand("tree", "one trace as a tree")->fallthrough();
  tree->add_option("id", options.trace.id, "trace id, hex")->required();
  tree->add_flag("--all", options.trace.all, "fold nothing");
  tree->add_flag("--no-durations", options.trace.no_durations, "leave times out");

  CLI::App* doctor = app.add_subcommand("doctor", "why is there no trace? Checks the whole way");
  doctor->add_option("--query", options.doctor.query,
                     "query server, ours or a Jaeger (default: ALPHASWARM_TRACE_UI_URL)");
  doctor->add_option("--metrics", options.doctor.metrics,
                     "a service's counters (default: the API's /metrics)");
  doctor->add_option("--reach", options.doctor.reach,
                     "only whether this URL answers, repeated; for health checks");
  doctor->add_flag("--json", options.doctor.json, "print the findings as JSON");
  add_data_dir(doctor, options.doctor.data_dir);

  CLI::App* settings = app.add_subcommand("settings", "every setting, its value and its source");
  settings->add_flag("--markdown", options.markdown, "as the reference page");
  app.add_subcommand("version", "print the version");

  app.add_subcommand("completion", "print the completion script of a shell")
      ->add_option("shell", options.shell, "the shell")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  CLI::App* man = app.add_subcommand("man", "print a manual page, for man -l -");
  man->add_option("command", options.man.command, "its words, e.g. trace list (default: none)");
  man->add_option("--output", options.man.output, "write every page into this folder instead")
      ->type_name("FOLDER");
}

int print_completion(const CommandDescription& program, const std::string& shell) {
  const std::string script = shell == "bash"  ? bash_completion(program)
                             : shell == "zsh" ? zsh_completion(program)
                                              : fish_completion(program);
  std::fputs(script.c_str(), stdout);
  return 0;
}

int dispatch(CLI::App& app, const Options& options) {
  const auto chosen = [&](const char* name) { return app.got_subcommand(name); };
  if (chosen("version")) {
    std::printf("alphaswarm %s\n", std::string(kVersion).c_str());
    return 0;
  }
  if (chosen("completion")) return print_completion(describe(app), options.shell);
  if (chosen("man")) return run_man(describe(app), options.man);
  if (chosen("trace")) {
    CLI::App* trace = app.get_subcommand("trace");
    if (trace->got_subcommand("list")) return run_trace_list(options.trace);
    return trace->got_subcommand("get") ? run_trace_get(options.trace)
                                        : run_trace_tree(options.trace);
  }
  const auto environment = config::Environment::load(options.dotenv);
  if (!environment) return failed(environment.error().message);
  if (chosen("up")) return run_up(*environment, options.up);
  if (chosen("api")) return run_api(*environment, options.service);
  if (chosen("worker")) return run_worker(*environment, options.service);
  if (chosen("exchange")) return run_exchange(*environment, options.service);
  if (chosen("collector")) return run_collector(*environment, options.collector);
  if (chosen("paper")) return run_paper(*environment, options.paper);
  if (chosen("backtest")) return run_backtest(*environment, options.backtest);
  if (chosen("doctor")) return run_doctor(*environment, options.doctor);
  if (chosen("ingest")) return run_ingest(*environment, options.ingest);
  return run_settings(*environment, options.markdown);
}

// The subcommands' names, for a message.
std::string names_of(const CLI::App& app) {
  std::string names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    names += (names.empty() ? "" : ", ") + command->get_name();
  }
  return names;
}

bool has_subcommand(const CLI::App& app, const std::string& name) {
  const auto named = [&](const CLI::App* command) { return command->get_name() == name; };
  return !app.get_subcommands(named).empty();
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("A trading system that is traced end to end, and its trace backend.", "alphaswarm");
  app.require_subcommand(1);
  app.add_option("--env-file", options.dotenv, "settings below the environment (default: .env)")
      ->type_name("FILE");
  app.set_version_flag("--version", std::string(kVersion));
  add_services(app, options);
  add_jobs(app, options);
  add_tools(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const std::string first = argc > 1 ? argv[1] : "";
    if (argc > 1 && !first.starts_with('-') && !has_subcommand(app, first)) {
      std::fprintf(stderr, "error: unknown subcommand '%s': it is one of %s\n", first.c_str(),
                   names_of(app).c_str());
    } else {
      std::fprintf(stderr, "error: %s. See alphaswarm%s --help\n", error.what(),
                   argc > 1 && !first.starts_with('-') ? (" " + first).c_str() : "");
    }
    return 2;
  }
  return dispatch(app, options);
}

}  // namespace
}  // namespace alphaswarm::cli

int main(int argc, char** argv) {
  try {
    alphaswarm::cli::install_pages(alphaswarm::cli::embedded_files());
    return alphaswarm::cli::run(argc, argv);
  } catch (const std::exception& error) {
    return alphaswarm::cli::failed(error.what());
  }
}
