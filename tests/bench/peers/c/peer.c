/*
 * A peer of `edged precheck` for the bench, as the one in Go: the same reading and checking on the
 * match path, the same reading, hashing, writing and syncing on the reconstruction path; no journal,
 * no recovery. BLAKE3 is written plainly from its specification, without SIMD.
 *
 *   peer match STATE_ROOT CERT KEY CONFIG    exit 0 when the stored hash is the running system's
 *   peer copy SRC DST HASH                   exit 0 when the copy has the hash and is durable
 *   peer copies SRC DST COUNT                the same for SRC-0 to SRC-(COUNT-1), into DST-0 …, no hash
 *   peer hash FILE                           prints the hash
 */
#include <fcntl.h>
#include <libgen.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 64, CHUNK = 1024, CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8 };

static const uint32_t IV[8] = {0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                               0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
static const uint8_t ORDER[16] = {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8};

static inline uint32_t rotate(uint32_t word, int count) {
  return word >> count | word << (32 - count);
}

static inline void quarter(uint32_t *v, int a, int b, int c, int d, uint32_t x, uint32_t y) {
  v[a] += v[b] + x;
  v[d] = rotate(v[d] ^ v[a], 16);
  v[c] += v[d];
  v[b] = rotate(v[b] ^ v[c], 12);
  v[a] += v[b] + y;
  v[d] = rotate(v[d] ^ v[a], 8);
  v[c] += v[d];
  v[b] = rotate(v[b] ^ v[c], 7);
}

/* Replaces the chaining value `cv`. */
static void compress(uint32_t cv[8], const uint32_t words[16], uint64_t counter, uint32_t length,
                     uint32_t flags) {
  uint32_t m[16], next[16];
  uint32_t v[16] = {cv[0], cv[1], cv[2], cv[3], cv[4], cv[5], cv[6], cv[7], IV[0], IV[1], IV[2],
                    IV[3], (uint32_t)counter, (uint32_t)(counter >> 32), length, flags};
  memcpy(m, words, sizeof m);
  for (int round = 0; round < 7; round++) {
    quarter(v, 0, 4, 8, 12, m[0], m[1]);
    quarter(v, 1, 5, 9, 13, m[2], m[3]);
    quarter(v, 2, 6, 10, 14, m[4], m[5]);
    quarter(v, 3, 7, 11, 15, m[6], m[7]);
    quarter(v, 0, 5, 10, 15, m[8], m[9]);
    quarter(v, 1, 6, 11, 12, m[10], m[11]);
    quarter(v, 2, 7, 8, 13, m[12], m[13]);
    quarter(v, 3, 4, 9, 14, m[14], m[15]);
    for (int i = 0; i < 16; i++) next[i] = m[ORDER[i]];
    memcpy(m, next, sizeof m);
  }
  for (int i = 0; i < 8; i++) cv[i] = v[i] ^ v[i + 8];
}

static void chunk(uint32_t cv[8], const uint8_t *data, size_t length, uint64_t counter,
                  uint32_t extra) {
  uint32_t flags = CHUNK_START;
  memcpy(cv, IV, sizeof IV);
  for (;;) {
    size_t part = length > BLOCK ? BLOCK : length;
    uint32_t words[16] = {0};
    memcpy(words, data, part); /* little-endian machines */
    length -= part;
    data += part;
    if (length == 0) flags |= CHUNK_END | extra;
    compress(cv, words, counter, (uint32_t)part, flags);
    if (length == 0) return;
    flags = 0;
  }
}

static void join(uint32_t left[8], const uint32_t right[8], uint32_t extra) {
  uint32_t words[16], cv[8];
  memcpy(words, left, 32);
  memcpy(words + 8, right, 32);
  memcpy(cv, IV, sizeof cv);
  compress(cv, words, 0, BLOCK, PARENT | extra);
  memcpy(left, cv, 32);
}

struct hasher {
  uint32_t stack[54][8];
  int depth;
  uint64_t counter;
  uint8_t pending[CHUNK];
  size_t length;
};

static void update(struct hasher *h, const uint8_t *data, size_t length) {
  while (length > 0) {
    if (h->length == CHUNK) {
      uint32_t *cv = h->stack[h->depth++];
      chunk(cv, h->pending, CHUNK, h->counter++, 0);
      for (uint64_t total = h->counter; (total & 1) == 0; total >>= 1, h->depth--)
        join(h->stack[h->depth - 2], h->stack[h->depth - 1], 0);
      h->length = 0;
    }
    size_t part = CHUNK - h->length < length ? CHUNK - h->length : length;
    memcpy(h->pending + h->length, data, part);
    h->length += part;
    data += part;
    length -= part;
  }
}

static void digest(struct hasher *h, char hex[65]) {
  uint32_t cv[8];
  chunk(cv, h->pending, h->length, h->counter, h->depth == 0 ? ROOT : 0);
  while (h->depth > 0) {
    uint32_t *left = h->stack[--h->depth];
    join(left, cv, h->depth == 0 ? ROOT : 0);
    memcpy(cv, left, 32);
  }
  for (int i = 0; i < 32; i++) sprintf(hex + 2 * i, "%02x", ((uint8_t *)cv)[i]);
}

static void check(int holds, const char *what) {
  if (holds) return;
  perror(what);
  exit(5);
}

/* The whole file, with a NUL behind it. */
static uint8_t *read_file(const char *name, size_t *length) {
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  check(fd >= 0, name);
  size_t room = 1 << 16;
  uint8_t *data = malloc(room);
  ssize_t part;
  *length = 0;
  while ((part = read(fd, data + *length, room - *length - 1)) > 0) {
    *length += (size_t)part;
    if (room - *length < 4096) data = realloc(data, room *= 2);
  }
  check(part == 0, name);
  close(fd);
  data[*length] = 0;
  return data;
}

static int match(char **args) {
  char name[4096], hex[65];
  size_t length;
  struct stat status;
  struct utsname system;
  struct hasher h = {0};
  check(stat(args[0], &status) == 0, args[0]);
  check(strstr((char *)read_file("/proc/self/mountinfo", &length), " / ") != NULL, "mountinfo");
  read_file(args[3], &length);
  check(length > 0, args[3]);
  FILE *cert = fopen(args[1], "re"), *key = fopen(args[2], "re");
  check(cert && key, args[1]);
  X509 *leaf = PEM_read_X509(cert, NULL, NULL, NULL);
  EVP_PKEY *secret = PEM_read_PrivateKey(key, NULL, NULL, NULL);
  check(leaf && secret && X509_check_private_key(leaf, secret) == 1, "key");
  check(X509_verify(leaf, X509_get0_pubkey(leaf)) == 1, "signature");
  time_t limit = time(NULL) + 7 * 86400;
  check(X509_cmp_time(X509_get0_notAfter(leaf), &limit) > 0, "validity");
  const char *releases[] = {"/etc/os-release", "/usr/lib/os-release"};
  for (int i = 0; i < 2; i++) {
    uint8_t *text = read_file(releases[i], &length);
    update(&h, text, length);
  }
  check(uname(&system) == 0, "uname");
  update(&h, (uint8_t *)system.release, strlen(system.release));
  digest(&h, hex);
  snprintf(name, sizeof name, "%s/epoch/current/evidence.json", args[0]);
  check(strstr((char *)read_file(name, &length), hex) != NULL, name);
  snprintf(name, sizeof name, "%s/bootstrap/os_fingerprint.json", args[0]);
  return strstr((char *)read_file(name, &length), hex) ? 0 : 1;
}

static int install(const char *source, const char *target, const char *expected) {
  static uint8_t buffer[1 << 20];
  char staged[4096], hex[65];
  struct hasher h = {0};
  ssize_t part;
  snprintf(staged, sizeof staged, "%s.new", target);
  int in = open(source, O_RDONLY | O_CLOEXEC);
  int out = open(staged, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  check(in >= 0 && out >= 0, staged);
  while ((part = read(in, buffer, sizeof buffer)) > 0) {
    update(&h, buffer, (size_t)part);
    check(write(out, buffer, (size_t)part) == part, staged);
  }
  check(part == 0 && fsync(out) == 0 && close(out) == 0, staged);
  digest(&h, hex);
  if (expected && strcmp(hex, expected) != 0) return 5;
  check(rename(staged, target) == 0, target);
  int directory = open(dirname(staged), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(directory >= 0 && fsync(directory) == 0, target);
  return 0;
}

static int install_each(const char *source, const char *target, int count) {
  char from[4096], to[4096];
  for (int i = 0; i < count; i++) {
    snprintf(from, sizeof from, "%s-%d", source, i);
    snprintf(to, sizeof to, "%s-%d", target, i);
    install(from, to, NULL);
  }
  return 0;
}

int main(int count, char **args) {
  if (count == 6 && strcmp(args[1], "match") == 0) return match(args + 2);
  if (count == 5 && strcmp(args[1], "copy") == 0) return install(args[2], args[3], args[4]);
  if (count == 5 && strcmp(args[1], "copies") == 0)
    return install_each(args[2], args[3], atoi(args[4]));
  if (count == 3 && strcmp(args[1], "hash") == 0) {
    size_t length;
    char hex[65];
    struct hasher h = {0};
    uint8_t *data = read_file(args[2], &length);
    update(&h, data, length);
    digest(&h, hex);
    return puts(hex) < 0;
  }
  return 1;
}
