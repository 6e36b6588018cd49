#pragma once

inline void begin_dependents() {}
inline void wait_for_predecessors() {}
