#include "alphaswarm/trading/ingestion/timestamp.hpp"

#include <gtest/gtest.h>

namespace alphaswarm::trading {
namespace {

std::string parsed(std::string_view text, ZoneOffset zone = {}) {
  const Result<UnixNanos> time = parse_timestamp(text, zone);
  return time ? to_rfc3339(*time) : "error: " + time.error().message;
}

TEST(Timestamps, DatesOfManyForms) {
  for (const char* text : {"2003-09-19",
                           "2003/09/19",
                           "2003/9/19",
                           "20030919",
                           "19-Sep-03",
                           "19-Sep-2003",
                           "19-SEP-03",
                           "19 Sep 2003",
                           "19 September 2003",
                           "Sep 19 2003",
                           "Sep 19, 2003",
                           "September 19, 2003",
                           "9/19/2003",
                           "09/19/03",
                           "2003-09-19 00:00",
                           "2003-09-19T00:00:00Z",
                           "2003-09-19T02:00:00+02:00",
                           "2003-09-19 00:00:00.000",
                           "1063929600",
                           "1063929600000",
                           "1063929600000000",
                           "1063929600000000000"}) {
    EXPECT_EQ(parsed(text), "2003-09-19T00:00:00.000000000Z") << text;
  }
  EXPECT_EQ(parsed("Jan 1 2000"), "2000-01-01T00:00:00.000000000Z");
  EXPECT_EQ(parsed("1-Jan-69"), "1969-01-01T00:00:00.000000000Z");
  EXPECT_EQ(parsed("31-Dec-68"), "2068-12-31T00:00:00.000000000Z");
}

TEST(Timestamps, TimesAndZones) {
  EXPECT_EQ(parsed("2003-09-19 09:30"), "2003-09-19T09:30:00.000000000Z");
  EXPECT_EQ(parsed("2003-09-19T09:30:15.25"), "2003-09-19T09:30:15.250000000Z");
  EXPECT_EQ(parsed("2003-09-19 09:30:00 -0400"), "2003-09-19T13:30:00.000000000Z");
  const ZoneOffset east = *parse_zone("+02:00");
  EXPECT_EQ(parsed("2003-09-19 09:30", east), "2003-09-19T07:30:00.000000000Z");
  EXPECT_EQ(parsed("2003-09-19", east), "2003-09-18T22:00:00.000000000Z");
  EXPECT_EQ(parsed("2003-09-19 09:30Z", east), "2003-09-19T09:30:00.000000000Z");
}

TEST(Timestamps, WhatIsNoneIsRefused) {
  for (const char* text : {"", "yesterday", "2003-13-01", "2003-02-29", "2003-09-31", "19/9/2003",
                           "2003-09", "20030932", "2003-09-19x", "2003-09-19 25:00",
                           "2003-09-19 09:60", "Foo 1 2000", "19-Sep-003", "1", "99999999999999",
                           "2003-09-19 09:30 Mars", "-5", "1600-01-01", "2003--09-19"}) {
    EXPECT_TRUE(parsed(text).starts_with("error: ")) << text << " " << parsed(text);
  }
  EXPECT_EQ(parsed("2000-02-29"), "2000-02-29T00:00:00.000000000Z");
  EXPECT_EQ(parsed("2003-02-29"), "error: '2003-02-29' is not a date: there is no such day");
}

TEST(Timestamps, NamedZonesAreRefusedWithAReason) {
  EXPECT_TRUE(parse_zone("UTC"));
  EXPECT_EQ(parse_zone("-0530")->seconds, -19'800);
  EXPECT_EQ(parse_zone("America/New_York").error().message,
            "time zone 'America/New_York' is not UTC or a fixed offset such as +02:00; named zones "
            "are not supported");
}

}  // namespace
}  // namespace alphaswarm::trading
