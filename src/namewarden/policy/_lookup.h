/* What another extension may ask a look-up for, through the capsule `Lookup.api`: the denials of one name. */
#ifndef NAMEWARDEN_LOOKUP_H
#define NAMEWARDEN_LOOKUP_H
#include <stddef.h>
#include <stdint.h>

#define LOOKUP_CAPSULE "namewarden.policy._lookup.api"

struct lookup_hit {
    uint32_t rank;   /* of the list */
    uint32_t depth;  /* labels of the suffix */
    uint64_t offset; /* in the snapshot's file */
};

struct lookup_api {
    const void *lookup;
    /* Hits of `name` (lower-case text without its final dot), at most `most`, as they lie: the exact name first. -1 when
     * anything but a plain denial may speak first, or more than `most` do. */
    int (*denials)(const void *lookup, const char *name, size_t length, struct lookup_hit *hits, int most);
};

#endif
