// What the arithmetic relies on: rounding to nearest, and numbers below the smallest normal one
// kept. Other libraries change both for their whole thread (a library linked with -ffast-math
// does so when it is loaded), and new threads inherit it.
#pragma once

#include <cfenv>

namespace truemeans {

inline void use_default_float_mode() { std::fesetenv(FE_DFL_ENV); }

// For the length of a call, on the thread that makes it.
class FloatMode {
  public:
    FloatMode() { std::fegetenv(&before_); }
    void enter() {
        std::fegetenv(&before_);
        use_default_float_mode();
    }
    void leave() { std::fesetenv(&before_); }

  private:
    std::fenv_t before_{};
};

}  // namespace truemeans
