// What a fuzz target claims. A claim that does not hold is a crash, whatever the build type.
#pragma once

#include <cstdlib>

#define FUZZ_CLAIM(condition)       \
  do {                              \
    if (!(condition)) std::abort(); \
  } while (false)
