// The SIMD targets built into this library, best first; one is chosen at run time or by name.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernels.hpp"

namespace truemeans {

// Targets that were built and that this processor can run, best first; never empty.
const std::vector<Kernels>& supported_targets();

// The best target for an empty name, the named one, or null if it cannot run here.
const Kernels* choose_target(const std::string& name);

}  // namespace truemeans
