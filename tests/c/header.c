/* The header alone, twice, as C99 and as C++17: it needs nothing before it and bears being included again. */
#include "smimesync.h"
#include "smimesync.h"

typedef char progress_begins_with_its_size[offsetof(smimesync_progress, struct_size) == 0 ? 1 : -1];

int main(void) {
    return smimesync_abi_version() == SMIMESYNC_ABI_VERSION ? 0 : 1;
}
