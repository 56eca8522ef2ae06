/* What `layout.py` says of a name's fingerprint and its place in the sieve, for the helpers that make and ask the table:
 * BLAKE2b (RFC 7693) with a secret and eight octets of digest, CRC-32, octets that go on a name. */
#ifndef NAMEWARDEN_FINGERPRINT_H
#define NAMEWARDEN_FINGERPRINT_H
#include <stdint.h>
#include <string.h>

struct fingerprints {
    uint64_t state[8]; /* BLAKE2b before the first octet */
    uint32_t crc[256];
    uint8_t is_name[256]; /* octets that go on a name */
};

static const uint64_t IV[8] = {
    0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
    0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL,
};
static const uint8_t SIGMA[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
};

static uint64_t
load64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    value = __builtin_bswap64(value);
#endif
    return value;
}

static uint64_t
turn(uint64_t value, int by)
{
    return value >> by | value << (64 - by);
}

#define MIX(a, b, c, d, x, y) \
    do { \
        a += b + m[x], d = turn(d ^ a, 32), c += d, b = turn(b ^ c, 24); \
        a += b + m[y], d = turn(d ^ a, 16), c += d, b = turn(b ^ c, 63); \
    } while (0)

static void
compress(uint64_t *h, const uint8_t *block, uint64_t taken, int is_last)
{
    uint64_t v[16], m[16];
    for (int i = 0; i < 16; i++)
        m[i] = load64(block + 8 * i);
    for (int i = 0; i < 8; i++) {
        v[i] = h[i];
        v[i + 8] = IV[i];
    }
    v[12] ^= taken;
    if (is_last)
        v[14] = ~v[14];
#pragma GCC unroll 12
    for (int round = 0; round < 12; round++) {
        const uint8_t *s = SIGMA[round];
        MIX(v[0], v[4], v[8], v[12], s[0], s[1]);
        MIX(v[1], v[5], v[9], v[13], s[2], s[3]);
        MIX(v[2], v[6], v[10], v[14], s[4], s[5]);
        MIX(v[3], v[7], v[11], v[15], s[6], s[7]);
        MIX(v[0], v[5], v[10], v[15], s[8], s[9]);
        MIX(v[1], v[6], v[11], v[12], s[10], s[11]);
        MIX(v[2], v[7], v[8], v[13], s[12], s[13]);
        MIX(v[3], v[4], v[9], v[14], s[14], s[15]);
    }
    for (int i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[i + 8];
}

static uint64_t
fingerprint(const struct fingerprints *all, const uint8_t *key, size_t length)
{
    uint64_t h[8], taken = 0;
    uint8_t last[128] = {0};
    memcpy(h, all->state, sizeof h);
    while (length - taken > 128) {
        compress(h, key + taken, taken + 128, 0);
        taken += 128;
    }
    memcpy(last, key + taken, length - taken);
    compress(h, last, length, 1);
    return h[0];
}

static uint32_t
crc_of(const struct fingerprints *all, const uint8_t *key, size_t length)
{
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < length; i++)
        crc = crc >> 8 ^ all->crc[(crc ^ key[i]) & 255];
    return ~crc;
}

static uint8_t
lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
}

/* `secret` has 32 octets. */
static void
begin(struct fingerprints *all, const uint8_t *secret)
{
    memcpy(all->state, IV, sizeof IV);
    all->state[0] ^= 0x01010000 ^ 8; /* digest of 8 octets, no key, fanout and depth 1 */
    for (int i = 0; i < 4; i++)
        all->state[4 + i] ^= load64(secret + 8 * i); /* salt and personalization */
    for (uint32_t octet = 0; octet < 256; octet++) {
        uint32_t crc = octet;
        uint8_t low = lower(octet);
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        all->crc[octet] = crc;
        all->is_name[octet] = (low >= 'a' && low <= 'z') || (low >= '0' && low <= '9') || low == '-' || low == '_';
    }
}

#endif
