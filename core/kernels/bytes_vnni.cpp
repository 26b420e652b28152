// Bytes along axes, for processors that multiply four at a time; CMakeLists.txt gives the flags.
#define TM_VECTOR_BYTES 64
#include "along.inl.hpp"

namespace truemeans {
extern void fill_bytes_vnni(Kernels& table);
void fill_bytes_vnni(Kernels& table) { fill_along<Bytes>(table); }
}  // namespace truemeans
