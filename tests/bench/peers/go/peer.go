// A peer of `edged precheck` for the bench: the same reading and checking on the match path, the same
// reading, hashing, writing and syncing on the reconstruction path; no journal, no recovery.
//
//	peer match STATE_ROOT CERT KEY CONFIG    exit 0 when the stored hash is the running system's
//	peer copy SRC DST HASH                   exit 0 when the copy has the hash and is durable
//	peer hash FILE                           prints the hash
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(5)
	}
}

func read(name string) []byte {
	data, err := os.ReadFile(name)
	check(err)
	return data
}

func release() []byte {
	var uname syscall.Utsname
	check(syscall.Uname(&uname))
	var text []byte
	for _, c := range uname.Release {
		if c == 0 {
			break
		}
		text = append(text, byte(c))
	}
	return text
}

func match(stateRoot, cert, key, config string) {
	_, err := os.Stat(stateRoot)
	check(err)
	if !bytes.Contains(read("/proc/self/mountinfo"), []byte(" / ")) || len(read(config)) == 0 {
		os.Exit(2)
	}
	pair, err := tls.LoadX509KeyPair(cert, key) // reads both, and checks that they belong together
	check(err)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	check(err)
	check(leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature))
	if time.Until(leaf.NotAfter) < 7*24*time.Hour {
		os.Exit(3)
	}
	h := &hasher{}
	h.Write(read("/etc/os-release"))
	h.Write(read("/usr/lib/os-release"))
	h.Write(release())
	found := hex.EncodeToString(h.sum())
	var stored struct {
		Hash string `json:"composite_hash"`
	}
	check(json.Unmarshal(read(filepath.Join(stateRoot, "bootstrap/os_fingerprint.json")), &stored))
	var evidence map[string]any
	check(json.Unmarshal(read(filepath.Join(stateRoot, "epoch/current/evidence.json")), &evidence))
	if stored.Hash != found {
		os.Exit(1)
	}
}

func install(src, dst, hash string) {
	in, err := os.Open(src)
	check(err)
	out, err := os.Create(dst + ".new")
	check(err)
	h := &hasher{}
	_, err = io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(out, h)}, struct{ io.Reader }{in}, make([]byte, 1<<20))
	check(err)
	check(out.Sync())
	check(out.Close())
	if hex.EncodeToString(h.sum()) != hash {
		os.Exit(5)
	}
	check(os.Rename(dst+".new", dst))
	directory, err := os.Open(filepath.Dir(dst))
	check(err)
	check(directory.Sync())
}

func main() {
	switch args := os.Args[1:]; args[0] {
	case "match":
		match(args[1], args[2], args[3], args[4])
	case "copy":
		install(args[1], args[2], args[3])
	case "hash":
		in, err := os.Open(args[1])
		check(err)
		h := &hasher{}
		_, err = io.Copy(h, in)
		check(err)
		fmt.Println(hex.EncodeToString(h.sum()))
	}
}
