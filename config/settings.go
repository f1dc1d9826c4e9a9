package config

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

var workspaceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// CheckWorkspace says what is wrong with the name of a workspace, or "".
func CheckWorkspace(name string) string {
	if workspaceName.MatchString(name) {
		return ""
	}
	return `a workspace has 1 to 64 letters, digits, "-", "_" and ".", the first of them a letter or digit`
}

// readSettings reads the resctl block. Its values are literals: they say where
// the configuration belongs before anything else is known.
func (l *loader) readSettings(d *directory) {
	var first *hcl.Block
	for _, b := range d.blocks["resctl"] {
		if first != nil {
			l.duplicate("The resctl block", b.DefRange, first.DefRange)
			return
		}
		first = b
		content, diags := b.Body.Content(settingsSchema)
		l.adopt(diags, codeArgument, "")
		s := &scope{l: l}
		if a := content.Attributes["required_version"]; s.literal(a) {
			s.requiredVersion(a)
		}
		if a := content.Attributes["workspace"]; s.literal(a) {
			s.workspace(a)
		}
		if a := content.Attributes["server"]; s.literal(a) {
			s.server(a)
		}
	}
}

// literal reports whether an attribute is there and names nothing.
func (s *scope) literal(a *hcl.Attribute) bool {
	if a == nil {
		return false
	}
	if len(a.Expr.Variables()) == 0 {
		return true
	}
	s.wrong(codeValue, "Not a literal", fmt.Sprintf("%s in the resctl block is read before variables and locals exist; write the text itself.", a.Name), a.Expr)
	return false
}

func (s *scope) workspace(a *hcl.Attribute) {
	name, ok := s.text(a)
	if !ok {
		return
	}
	if msg := CheckWorkspace(name); msg != "" {
		s.wrong(codeWorkspace, "Invalid workspace", fmt.Sprintf("The workspace %q cannot be used: %s.", name, msg), a.Expr)
		return
	}
	s.l.cfg.Workspace, s.l.cfg.WorkspaceExplicit = name, true
}

func (s *scope) server(a *hcl.Attribute) {
	text, ok := s.text(a)
	if !ok {
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		s.wrong(codeWorkspace, "Invalid server", `server must be an address such as "https://resctl.example".`, a.Expr)
	case u.User != nil:
		s.wrong(codeWorkspace, "Invalid server", "server must not hold a name or password.", a.Expr)
	default:
		s.l.cfg.Server = text
	}
}

func (s *scope) requiredVersion(a *hcl.Attribute) {
	text, ok := s.text(a)
	if !ok {
		return
	}
	cs, err := parseConstraints(text)
	if err != nil {
		s.wrong(codeVersion, "Invalid version constraint", fmt.Sprintf("required_version: %v. Write it like \">= 0.1, < 2.0\" or \"~> 0.1\".", err), a.Expr)
		return
	}
	have, _, err := parseVersion(s.l.opts.Version)
	if err != nil {
		return // a development build: it has no number to compare
	}
	for _, c := range cs {
		if !c.allows(have) {
			s.wrong(codeVersion, "Version not allowed", fmt.Sprintf("This is resctl %s, but the configuration requires %s. Use another version of resctl, or change the constraint.", s.l.opts.Version, text), a.Expr)
			return
		}
	}
}

// constraint is one of "= != > >= < <= ~>" and a version.
type constraint struct {
	op      string
	version [3]int
	parts   int // how many numbers were written
}

func parseConstraints(text string) ([]constraint, error) {
	var out []constraint
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		op := part[:len(part)-len(strings.TrimLeft(part, "=!<>~"))]
		switch op {
		case "", "=", "!=", ">", ">=", "<", "<=", "~>":
		default:
			return nil, fmt.Errorf("%q is no operator", op)
		}
		v, n, err := parseVersion(strings.TrimSpace(part[len(op):]))
		if err != nil {
			return nil, err
		}
		out = append(out, constraint{op, v, n})
	}
	return out, nil
}

// parseVersion reads "1.2.3", "1.2" or "v1.2.3-rc1"; what follows the numbers
// does not count.
func parseVersion(text string) (v [3]int, parts int, err error) {
	core, _, _ := strings.Cut(strings.TrimPrefix(text, "v"), "-")
	core, _, _ = strings.Cut(core, "+")
	fields := strings.Split(core, ".")
	if len(fields) > 3 {
		return v, 0, fmt.Errorf("%q is no version", text)
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 31)
		if err != nil {
			return v, 0, fmt.Errorf("%q is no version", text)
		}
		v[i] = int(n)
	}
	return v, len(fields), nil
}

func (c constraint) allows(v [3]int) bool {
	d := 0
	for i := range v {
		if d = v[i] - c.version[i]; d != 0 {
			break
		}
	}
	switch c.op {
	case "!=":
		return d != 0
	case ">":
		return d > 0
	case ">=":
		return d >= 0
	case "<":
		return d < 0
	case "<=":
		return d <= 0
	case "~>": // all but the last written number stay
		for i := range max(c.parts-1, 1) {
			if v[i] != c.version[i] {
				return false
			}
		}
		return d >= 0
	}
	return d == 0
}
