#include "tuner/clock_watch.hpp"

#include "tests/catch.hpp"

using namespace fdkbench;

namespace {

protocol::BlockReply block(double before_mhz, double after_mhz) {
    protocol::BlockReply reply;
    reply.before.sm_clock_mhz = before_mhz;
    reply.after.sm_clock_mhz = after_mhz;
    return reply;
}

}  // namespace

TEST_CASE("A steady clock is nothing to object to, small steps neither") {
    ClockWatch watch;
    for (int i = 0; i < 20; ++i) {
        CHECK_FALSE(watch.objection(block(1980, i % 2 == 0 ? 1980 : 1965)).has_value());
    }
}

TEST_CASE("A clock that moves within a block, or away from the usual one, is") {
    ClockWatch watch;
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(watch.objection(block(1980, 1980)).has_value());
    }
    CHECK_THAT(watch.objection(block(1980, 1900)).value(),
               ContainsSubstring("from 1980 to 1900 MHz"));
    CHECK_THAT(watch.objection(block(1800, 1800)).value(),
               ContainsSubstring("1800 MHz, usually 1980"));
}

TEST_CASE("A device that settles at another clock is soon usual again") {
    ClockWatch watch;
    for (int i = 0; i < 15; ++i) {
        watch.objection(block(1980, 1980));
    }
    int objections = 0;
    for (int i = 0; i < 15; ++i) {
        objections += watch.objection(block(1700, 1700)).has_value() ? 1 : 0;
    }
    CHECK(objections >= 5);
    CHECK(objections <= 8);
    CHECK_FALSE(watch.objection(block(1700, 1700)).has_value());
}

TEST_CASE(
    "A reason to throttle counts before and after, and a device that tells nothing is trusted") {
    ClockWatch watch;
    CHECK_FALSE(watch.objection({}).has_value());
    protocol::BlockReply capped;
    capped.before.throttle_reasons = {"sw_power_cap", "hw_slowdown"};
    CHECK(watch.objection(capped) == "the device throttles: sw_power_cap, hw_slowdown");
}
