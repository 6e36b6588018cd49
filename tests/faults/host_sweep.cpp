#include "tests/catch.hpp"
#include "tests/faults/fault_sweep.hpp"

using namespace fdkbench::test;

TEST_CASE("A sweep on the CPU survives every fault, and says of each what it was") {
    FaultSweep sweep("host", "host_dense");
    sweep.run();
    sweep.check_every_fault_has_its_status();
    sweep.check_good_candidates_are_undisturbed();
    sweep.check_workers_started_no_more_often_than_needed();
    sweep.check_nothing_is_left_behind();
}

TEST_CASE("The shipped programs have no faulty family") {
    check_shipped_programs_have_no_faults("host");
}
