package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Copy is a whole state as one file, of one moment. It holds all that is secret:
// tokens, hashes of passwords, the key of fingerprints. Whoever reads it closes it.
type Copy struct {
	io.ReadCloser
	Size   int64
	SHA256 [sha256.Size]byte
}

// digestHeader carries the digest of a copy, as RFC 9530 has it.
const digestHeader = "Repr-Digest"

const copyPath = "/v1/backup"

// chunk is sent before the reader is given new time.
const chunk = 1 << 20

// backup sends a copy of the state to who may have all of it. There is one at a
// time: each takes as much room on disk as the state.
func (s *Server) backup(c *call) error {
	if !s.copying.TryLock() {
		return &Error{Status: http.StatusServiceUnavailable, Code: codeBusy, wait: retryAtLeast, Message: "another backup is being made. Try again in a moment"}
	}
	defer s.copying.Unlock()
	l, err := s.ledgerOf(c)
	if err != nil {
		return err
	}
	made, err := l.Backup(c.r.Context())
	if err != nil {
		return err
	}
	defer made.Close()
	h := c.w.Header()
	h.Set("Content-Type", "application/vnd.sqlite3")
	h.Set("Content-Disposition", `attachment; filename="resctl.db"`)
	h.Set("Content-Length", strconv.FormatInt(made.Size, 10))
	h.Set(digestHeader, digestOf(made.SHA256[:]))
	control := http.NewResponseController(c.w)
	for err == nil {
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
		_, err = io.CopyN(c.w, made, chunk)
	}
	return nil // who reads sees by length and digest that it is whole
}

func digestOf(sum []byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum) + ":"
}

// Backup begins to read a copy of the state. Reading it ends in an error where what
// has arrived is not what was sent.
func (c *Client) Backup(ctx context.Context) (*Copy, error) {
	response, err := c.do(ctx, http.MethodGet, strings.TrimPrefix(copyPath, "/v1/"), nil)
	if err != nil {
		return nil, err
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(response.Header.Get(digestHeader), "sha-256=:"), ":")
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sum) != sha256.Size || response.ContentLength < 0 {
		response.Body.Close()
		return nil, c.stranger(response)
	}
	out := &Copy{Size: response.ContentLength, SHA256: [sha256.Size]byte(sum)}
	out.ReadCloser = &arriving{response.Body, sha256.New(), sum}
	return out, nil
}

// arriving holds a copy against its digest.
type arriving struct {
	io.ReadCloser
	hash hash.Hash
	want []byte
}

func (a *arriving) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	a.hash.Write(p[:n])
	switch {
	case err == io.EOF && !bytes.Equal(a.hash.Sum(nil), a.want):
		return n, fmt.Errorf("api: backup: it arrived damaged; try again")
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("api: backup: it was cut off: %w", err)
	}
	return n, err
}

// Erasing names a token of a driver: by its characters, or by its fingerprint.
type Erasing struct {
	Token       string `json:"token,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"` // as it is shown, #7f2a
	By          string `json:"by,omitempty"`          // heeded only through a socket of which the kernel does not say who is there
}

// Erased says what became of it.
type Erased struct {
	Fingerprint string   `json:"fingerprint"`     // of the token
	Rows        int      `json:"rows"`            // of the state that had it
	Left        int      `json:"left,omitempty"`  // rows with its characters elsewhere: in an address, or in a text
	Files       []string `json:"files,omitempty"` // beside the state, in which it still stands
}

// erase has a token erased. What has arrived whole is done or refused, whatever
// becomes of the caller.
func erase(ctx context.Context, a asked, in Erasing) (Erased, error) {
	if (in.Token == "") == (in.Fingerprint == "") {
		return Erased{}, badRequest("token or fingerprint says which one is meant")
	}
	if by := a.who.name(); by != "" {
		in.By = by
	}
	return a.ledger.Erase(context.WithoutCancel(ctx), in)
}

// Erase has a token erased from all that is stored.
func (c *Client) Erase(ctx context.Context, what Erasing) (Erased, error) {
	return get[Erased](ctx, c, "erase", what)
}

// Backup is for who sees everything: a copy leaves nothing out.
func (g *guarded) Backup(ctx context.Context) (*Copy, error) {
	if err := g.who.everywhere("A backup has all workspaces"); err != nil {
		return nil, err
	}
	return g.under.Backup(ctx)
}

// Erase is for who sees everything: a token goes from the records of all.
func (g *guarded) Erase(ctx context.Context, what Erasing) (Erased, error) {
	if err := g.who.everywhere("A token is erased from all workspaces"); err != nil {
		return Erased{}, err
	}
	return g.under.Erase(ctx, what)
}
