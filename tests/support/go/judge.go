// Judge reads what Siegelpost publishes and answers with Go's own sumdb packages: is it right?
//
// It takes one JSON object from standard input and writes one line a check to standard output;
// the first thing that does not hold ends it with status 1. Own work.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type task struct {
	Vkeys       []string          `json:"vkeys"`
	Note        string            `json:"note"`
	Tiles       map[string][]byte `json:"tiles"`
	Proofs      []string          `json:"proofs"`
	Consistency []struct {
		Old   int64    `json:"old"`
		Root  []byte   `json:"root"`
		Proof [][]byte `json:"proof"`
	} `json:"consistency"`
}

func check(err error, what string) {
	if err != nil {
		fmt.Printf("%s: %v\n", what, err)
		os.Exit(1)
	}
}

func fail(format string, arguments ...any) { check(fmt.Errorf(format, arguments...), "refused") }

// opened returns size and root of a checkpoint that one of the keys signed.
func opened(text string, verifiers note.Verifiers) (int64, tlog.Hash) {
	signed, err := note.Open([]byte(text), verifiers)
	check(err, "note")
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != signed.Sigs[0].Name {
		fail("no checkpoint of %s: %q", signed.Sigs[0].Name, signed.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err, "size")
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	check(err, "root")
	var root tlog.Hash
	if copy(root[:], raw) != tlog.HashSize {
		fail("root of %d bytes", len(raw))
	}
	return size, root
}

func hashes(raw [][]byte) []tlog.Hash {
	out := make([]tlog.Hash, len(raw))
	for i := range raw {
		if copy(out[i][:], raw[i]) != tlog.HashSize {
			fail("a hash of %d bytes", len(raw[i]))
		}
	}
	return out
}

// path writes a tile's address as c2sp.org/tlog-tiles does; tlog's own differs in the prefix only.
func path(t tlog.Tile) string {
	return "tile/" + strings.TrimPrefix(t.Path(), fmt.Sprintf("tile/%d/", t.H))
}

type reader map[string][]byte

func (r reader) Height() int { return 8 }

func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, t := range tiles {
		data, ok := r[path(t)]
		if !ok {
			return nil, fmt.Errorf("no %s", path(t))
		}
		out = append(out, data)
	}
	return out, nil
}

func (r reader) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func main() {
	var job task
	check(json.NewDecoder(os.Stdin).Decode(&job), "input")
	var keys []note.Verifier
	for _, vkey := range job.Vkeys {
		verifier, err := note.NewVerifier(vkey)
		check(err, "vkey")
		keys = append(keys, verifier)
	}
	verifiers := note.VerifierList(keys...)
	size, root := opened(job.Note, verifiers)
	fmt.Printf("checkpoint of %d\n", size)

	// Every leaf out of the tiles, authenticated against the root.
	tiles := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, reader(job.Tiles))
	if len(job.Tiles) > 0 {
		indexes := make([]int64, size)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, int64(i))
		}
		leaves, err := tiles.ReadHashes(indexes)
		check(err, "tiles")
		for n := int64(0); n*256 < size; n++ {
			width := size - n*256
			if width > 256 {
				width = 256
			}
			name := strings.Replace(path(tlog.Tile{H: 8, L: 0, N: n, W: int(width)}), "tile/0", "tile/entries", 1)
			bundle, ok := job.Tiles[name]
			if !ok {
				fail("no %s", name)
			}
			for i := int64(0); i < width; i++ {
				if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
					fail("%s is cut off", name)
				}
				length := 2 + int(binary.BigEndian.Uint16(bundle))
				if tlog.RecordHash(bundle[2:length]) != leaves[n*256+i] {
					fail("entry %d is not its leaf", n*256+i)
				}
				bundle = bundle[length:]
			}
			if len(bundle) != 0 {
				fail("%s is too long", name)
			}
		}
		fmt.Printf("%d leaves and entries\n", size)
	}

	for _, text := range job.Proofs {
		head, checkpoint, _ := strings.Cut(text, "\n\n")
		lines := strings.Split(head, "\n")
		if lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "index ") {
			fail("no proof: %q", lines)
		}
		index, err := strconv.ParseInt(lines[1][6:], 10, 64)
		check(err, "index")
		var raw [][]byte
		for _, line := range lines[2:] {
			part, err := base64.StdEncoding.DecodeString(line)
			check(err, "hash")
			raw = append(raw, part)
		}
		n, r := opened(checkpoint, verifiers)
		leaf, err := tiles.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		check(err, "leaf")
		check(tlog.CheckRecord(hashes(raw), n, r, index, leaf[0]), "inclusion")
		mine, err := tlog.ProveRecord(size, index, tiles)
		check(err, "prove")
		for i, part := range mine {
			if !bytes.Equal(part[:], raw[i]) {
				fail("another proof of %d", index)
			}
		}
	}
	fmt.Printf("%d inclusion proofs\n", len(job.Proofs))

	for _, item := range job.Consistency {
		var old tlog.Hash
		copy(old[:], item.Root)
		check(tlog.CheckTree(hashes(item.Proof), size, root, item.Old, old), "consistency")
	}
	fmt.Printf("%d consistency proofs\n", len(job.Consistency))
}
