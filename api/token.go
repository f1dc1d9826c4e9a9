package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/resctl/resctl/reservation"
)

// Scope is what a token lets its bearer do; each includes those before it.
type Scope int

// The scopes.
const (
	ScopeNone  Scope = iota // nothing that needs a token
	ScopeRead               // look at what is stored
	ScopePlan               // make plans
	ScopeWrite              // store them
	ScopeAdmin              // freeze, pause, see tokens of drivers whole and erase them, and copy the state
)

// scopeNames are in the order of the scopes.
var scopeNames = []string{"none", "read", "plan", "write", "admin"}

// String is the name as flags and files have it.
func (s Scope) String() string { return scopeNames[s] }

// Token is a secret that lets in over the network. Only its hash is kept.
type Token struct {
	Name       string // goes into the journal as who proposes
	SHA256     [sha256.Size]byte
	Scope      Scope
	Workspaces []string // that it sees and changes; none: all, and the stations
}

// ParseScope reads the name of a scope.
func ParseScope(name string) (Scope, error) {
	if i := slices.Index(scopeNames, name); i > 0 {
		return Scope(i), nil
	}
	return 0, fmt.Errorf("a scope is one of %s, not %q", strings.Join(scopeNames[1:], ", "), name)
}

// ParseToken reads NAME=SCOPE[:WORKSPACE,…]:SHA256, with the hash in hexadecimal.
func ParseToken(text string) (t Token, err error) {
	name, rest, ok := strings.Cut(text, "=")
	parts := strings.Split(rest, ":")
	if !ok || len(parts) < 2 || len(parts) > 3 {
		return t, fmt.Errorf("write NAME=SCOPE:SHA256 or NAME=SCOPE:WORKSPACE,WORKSPACE:SHA256")
	}
	if t.Scope, err = ParseScope(parts[0]); err != nil {
		return t, err
	}
	if len(parts) == 3 {
		t.Workspaces = strings.Split(parts[1], ",")
	}
	return NewToken(name, parts[len(parts)-1], t.Scope, t.Workspaces)
}

// NewToken is a token whose hash is written in hexadecimal.
func NewToken(name, sha string, scope Scope, workspaces []string) (t Token, err error) {
	t = Token{Name: name, Scope: scope, Workspaces: workspaces}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return t, fmt.Errorf("a token has a name, without blanks")
	}
	if slices.Contains(workspaces, "") {
		return t, fmt.Errorf("token %s: a workspace has no name; leave the list out for all of them", name)
	}
	b, err := hex.DecodeString(sha)
	if err != nil || len(b) != sha256.Size {
		return t, fmt.Errorf("token %s: not a SHA-256 of 64 hexadecimal digits; make it with: printf %%s \"$TOKEN\" | sha256sum", name)
	}
	copy(t.SHA256[:], b)
	return t, nil
}

// find gives the token that a secret is. It takes as long whichever it is, or
// if it is none.
func find(tokens []Token, secret string) *Token {
	sum := sha256.Sum256([]byte(secret))
	found := -1
	for i := range tokens {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], tokens[i].SHA256[:]), i, found)
	}
	if found < 0 {
		return nil
	}
	return &tokens[found]
}

// caller is who asks.
type caller struct {
	token *Token // nil: it came through the Unix socket, and may do everything
	peer  string // by the kernel's word, through the socket
	whole bool   // it is shown the tokens of drivers by their characters
}

// name is who goes into the journal; "" where nobody says.
func (c *caller) name() string {
	if c.token == nil {
		return c.peer
	}
	return c.token.Name + " (token)"
}

// sees reports whether a workspace is one of the caller's.
func (c *caller) sees(workspace string) bool {
	return c.token == nil || len(c.token.Workspaces) == 0 || slices.Contains(c.token.Workspaces, workspace)
}

// limited reports whether there are workspaces that the caller does not see.
func (c *caller) limited() bool { return c.token != nil && len(c.token.Workspaces) > 0 }

// within refuses a workspace that is not the caller's.
func (c *caller) within(workspace string) error {
	if c.sees(workspace) && (workspace != reservation.AllWorkspaces || !c.limited()) {
		return nil
	}
	return &Error{Status: 403, Code: codeWorkspace, Message: fmt.Sprintf("the token %s is not for workspace %q; it is for %s. Use another token, or correct workspace in the resctl block",
		c.token.Name, workspace, strings.Join(c.token.Workspaces, ", "))}
}

// everywhere refuses a caller who does not see all workspaces.
func (c *caller) everywhere(why string) error {
	if !c.limited() {
		return nil
	}
	return &Error{Status: 403, Code: codeWorkspace, Message: fmt.Sprintf("%s, and the token %s is for %s alone. Use a token that is limited to none", why, c.token.Name, strings.Join(c.token.Workspaces, ", "))}
}
