// How fast bars go into PostgreSQL: appended, merged as new rows, merged again unchanged; and what
// psql's own \copy of the same rows, as CSV, takes on the same server. All into tables of the same
// shape and primary key, each run a new table; the server waits for the disk as in service.
//
//   bars_load [rows] [runs]
//
// Ends with `<name> <value> <unit> must <op> <bound> ok|SHORT` of the medians; exits 1 if one is
// short.

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <vector>

#include "alphaswarm/persistence/bar_repository.hpp"
#include "bench/must.hpp"
#include "tests/support/postgres.hpp"

namespace {

using namespace alphaswarm;
using Clock = std::chrono::steady_clock;

std::vector<persistence::BarRow> make_bars(std::size_t count) {
  std::vector<persistence::BarRow> bars(count);
  for (std::size_t i = 0; i < count; ++i) {
    persistence::BarRow& bar = bars[i];
    bar.vt_symbol = fmt::format("SYM{:03}.NASDAQ", i * 10 / count);
    bar.interval = "1m";
    bar.timestamp = {1'600'000'000'000'000'000 + static_cast<std::int64_t>(i) * 60'000'000'000};
    bar.open = Decimal::from_units(10'000'000'000 + static_cast<std::int64_t>(i % 977) * 1'000'000);
    bar.high = Decimal::from_units(bar.open.units() + 50'000'000);
    bar.low = Decimal::from_units(bar.open.units() - 50'000'000);
    bar.close = Decimal::from_units(bar.open.units() + 10'000'000);
    bar.volume = Decimal::from_units(static_cast<std::int64_t>(1'000 + i % 5'000) * 100'000'000);
  }
  return bars;
}

void write_csv(const std::vector<persistence::BarRow>& bars, const std::string& path) {
  std::ofstream file(path);
  for (const auto& bar : bars) {
    file << bar.vt_symbol << ',' << bar.interval << ',' << bar.timestamp.value << ','
         << bar.open.units() << ',' << bar.high.units() << ',' << bar.low.units() << ','
         << bar.close.units() << ',' << bar.volume.units() << ",\n";
  }
}

// Processor seconds of this process, of psql and of the server's sessions. A session counts once
// it has ended and the server has heard of it.
class Meter {
 public:
  explicit Meter(const testing::Postgres& server) {
    std::ifstream(server.folder() / "data" / "postmaster.pid") >> server_;
  }
  struct Rates {
    double per_second;
    double per_cpu_second;
  };
  // `work` MUST end every session it has opened.
  Rates measure(std::size_t rows, const std::function<void(Clock::time_point&)>& work) const {
    const double cpu_before = cpu_seconds();
    const auto begin = Clock::now();
    Clock::time_point end{};
    work(end);
    ::poll(nullptr, 0, 300);
    return {static_cast<double>(rows) / std::chrono::duration<double>(end - begin).count(),
            static_cast<double>(rows) / (cpu_seconds() - cpu_before)};
  }

 private:
  double cpu_seconds() const {
    double seconds = 0;
    for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
      rusage usage{};
      ::getrusage(who, &usage);
      for (const timeval& time : {usage.ru_utime, usage.ru_stime}) {
        seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
      }
    }
    // proc(5): fields 16 and 17 are the ticks of children that were waited for.
    std::ifstream file("/proc/" + std::to_string(server_) + "/stat");
    std::string word;
    for (int field = 1; field <= 17 && file >> word; ++field) {
      if (field >= 16) {
        seconds += std::strtod(word.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
      }
    }
    return seconds;
  }
  pid_t server_ = 0;
};

template <class T>
T value_of(Result<T> result) {
  if (result) return *result;
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}
void must(const Result<void>& result) {
  if (result) return;
  fmt::print(stderr, "{}\n", result.error().message);
  std::exit(1);
}

void expect(bool holds, const char* what) {
  if (holds) return;
  fmt::print(stderr, "wrong counts: {}\n", what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 500'000;
  const int runs = argc > 2 ? std::atoi(argv[2]) : 5;
  testing::Postgres server({.settings = {{"shared_buffers", "256MB"}, {"max_wal_size", "4GB"}},
                            .tls = false,
                            .durable = true});
  auto bars = make_bars(rows);
  const std::string csv = server.folder() / "bars.csv";
  write_csv(bars, csv);
  fmt::print("{} rows a run: rows/s (rows a processor second)\n", rows);
  fmt::print("{:>4} {:>20} {:>20} {:>20} {:>20} {:>20}\n", "run", "psql \\copy", "append",
             "merge new", "merge same", "merge changed");
  const Meter meter(server);
  std::vector<std::vector<Meter::Rates>> all(5);
  for (int run = 0; run < runs; ++run) {
    const std::string url = server.create_database();
    const std::string name = url.substr(url.rfind('/') + 1);
    must(persistence::migrate(*value_of(persistence::Database::open(url))));
    const auto with_repository = [&](const std::function<void(persistence::BarRepository&)>& work) {
      return meter.measure(rows, [&](Clock::time_point& end) {
        auto database = value_of(persistence::Database::open(url));
        persistence::BarRepository repository(*database);
        work(repository);
        end = Clock::now();
      });
    };
    const auto upsert = [&](std::int64_t persistence::UpsertCounts::* expected, const char* what) {
      return with_repository([&](persistence::BarRepository& repository) {
        expect(value_of(repository.upsert(bars)).*expected == static_cast<std::int64_t>(rows),
               what);
      });
    };
    const auto empty = [&] { server.psql(name, "TRUNCATE TABLE bars"); };
    std::vector<Meter::Rates> measured;
    measured.push_back(meter.measure(rows, [&](Clock::time_point& end) {
      server.psql(name, "\\copy bars from '" + csv + "' csv");
      end = Clock::now();
    }));
    empty();
    measured.push_back(with_repository(
        [&](persistence::BarRepository& repository) { must(repository.append(bars)); }));
    empty();
    measured.push_back(upsert(&persistence::UpsertCounts::inserted, "inserted"));
    measured.push_back(upsert(&persistence::UpsertCounts::unchanged, "unchanged"));
    for (auto& bar : bars) bar.close = Decimal::from_units(bar.close.units() + 1);
    measured.push_back(upsert(&persistence::UpsertCounts::updated, "updated"));
    fmt::print("{:>4}", run + 1);
    for (std::size_t i = 0; i < measured.size(); ++i) {
      fmt::print(" {:>9.0f} ({:>8.0f})", measured[i].per_second, measured[i].per_cpu_second);
      all[i].push_back(measured[i]);
    }
    fmt::print("\n");
  }
  fmt::print(" med");
  std::vector<double> medians;  // rows/s
  for (auto& one : all) {
    const auto middle = [&](double Meter::Rates::* member) {
      std::ranges::sort(one, {}, member);
      return one[one.size() / 2].*member;
    };
    medians.push_back(middle(&Meter::Rates::per_second));
    fmt::print(" {:>9.0f} ({:>8.0f})", medians.back(), middle(&Meter::Rates::per_cpu_second));
  }
  fmt::print("\n");
  const bool append = bench::at_least("bars_append", medians[1] / 1e3, "k_rows/s", 250);
  const bool merge = bench::at_least("bars_merge_new", medians[2] / 1e3, "k_rows/s", 120);
  const bool changed = bench::at_least("bars_merge_changed", medians[4] / 1e3, "k_rows/s", 120);
  return append && merge && changed ? 0 : 1;
}
