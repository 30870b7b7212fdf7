// BLAKE3-256, portable and plain, from the specification; enough for a peer in the bench.
package main

import (
	"encoding/binary"
	"math/bits"
)

const (
	blockLength = 64
	chunkLength = 1024
	chunkStart  = 1 << 0
	chunkEnd    = 1 << 1
	parent      = 1 << 2
	root        = 1 << 3
)

var iv = [8]uint32{
	0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
}

var schedule = [7][16]int{
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
	{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
	{3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1},
	{10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
	{12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4},
	{9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
	{11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
}

func compress(cv *[8]uint32, m *[16]uint32, counter uint64, length, flags uint32) [16]uint32 {
	v := [16]uint32{
		cv[0], cv[1], cv[2], cv[3], cv[4], cv[5], cv[6], cv[7],
		iv[0], iv[1], iv[2], iv[3], uint32(counter), uint32(counter >> 32), length, flags,
	}
	g := func(a, b, c, d int, x, y uint32) {
		v[a] += v[b] + x
		v[d] = bits.RotateLeft32(v[d]^v[a], -16)
		v[c] += v[d]
		v[b] = bits.RotateLeft32(v[b]^v[c], -12)
		v[a] += v[b] + y
		v[d] = bits.RotateLeft32(v[d]^v[a], -8)
		v[c] += v[d]
		v[b] = bits.RotateLeft32(v[b]^v[c], -7)
	}
	for r := range schedule {
		s := &schedule[r]
		g(0, 4, 8, 12, m[s[0]], m[s[1]])
		g(1, 5, 9, 13, m[s[2]], m[s[3]])
		g(2, 6, 10, 14, m[s[4]], m[s[5]])
		g(3, 7, 11, 15, m[s[6]], m[s[7]])
		g(0, 5, 10, 15, m[s[8]], m[s[9]])
		g(1, 6, 11, 12, m[s[10]], m[s[11]])
		g(2, 7, 8, 13, m[s[12]], m[s[13]])
		g(3, 4, 9, 14, m[s[14]], m[s[15]])
	}
	for i := 0; i < 8; i++ {
		v[i] ^= v[i+8]
		v[i+8] ^= cv[i]
	}
	return v
}

func words(block []byte) (m [16]uint32) {
	var padded [blockLength]byte
	copy(padded[:], block)
	for i := range m {
		m[i] = binary.LittleEndian.Uint32(padded[4*i:])
	}
	return m
}

func half(out [16]uint32) (cv [8]uint32) {
	copy(cv[:], out[:8])
	return cv
}

// chunk gives the chaining value of one chunk; extra is root for the only one.
func chunk(data []byte, counter uint64, extra uint32) [8]uint32 {
	cv, flags := iv, uint32(chunkStart)
	for len(data) > blockLength {
		m := words(data[:blockLength])
		cv = half(compress(&cv, &m, counter, blockLength, flags))
		data, flags = data[blockLength:], 0
	}
	m := words(data)
	return half(compress(&cv, &m, counter, uint32(len(data)), flags|chunkEnd|extra))
}

func join(left, right [8]uint32, extra uint32) [8]uint32 {
	var m [16]uint32
	copy(m[:8], left[:])
	copy(m[8:], right[:])
	key := iv
	return half(compress(&key, &m, 0, blockLength, parent|extra))
}

type hasher struct {
	stack   [][8]uint32
	counter uint64
	pending []byte
}

func (h *hasher) Write(data []byte) (int, error) {
	length := len(data)
	for len(data) > 0 {
		if len(h.pending) == chunkLength {
			h.push(chunk(h.pending, h.counter, 0))
			h.pending = h.pending[:0]
		}
		room := chunkLength - len(h.pending)
		if room > len(data) {
			room = len(data)
		}
		h.pending = append(h.pending, data[:room]...)
		data = data[room:]
	}
	return length, nil
}

func (h *hasher) push(cv [8]uint32) {
	h.counter++
	for total := h.counter; total&1 == 0; total >>= 1 {
		cv = join(h.stack[len(h.stack)-1], cv, 0)
		h.stack = h.stack[:len(h.stack)-1]
	}
	h.stack = append(h.stack, cv)
}

func (h *hasher) sum() []byte {
	extra := uint32(0)
	if len(h.stack) == 0 {
		extra = root
	}
	cv := chunk(h.pending, h.counter, extra)
	for i := len(h.stack) - 1; i >= 0; i-- {
		extra = 0
		if i == 0 {
			extra = root
		}
		cv = join(h.stack[i], cv, extra)
	}
	digest := make([]byte, 32)
	for i, word := range cv {
		binary.LittleEndian.PutUint32(digest[4*i:], word)
	}
	return digest
}
