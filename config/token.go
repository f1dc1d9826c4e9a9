package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/resctl/resctl/config/diag"
	"github.com/resctl/resctl/reservation"
)

// token reads an IdTokenType object. Tokens are personal data: no message
// quotes one. version is what the station is declared to speak, or "".
func (s *scope) token(a *hcl.Attribute, version string) (t reservation.Token, ok bool) {
	if a == nil {
		return t, false
	}
	before := s.l.diags.Errors()
	read := s.value
	if a.Name == "id_token" {
		read = s.need
	}
	v, _, ok := read(a)
	if !ok {
		return t, false
	}
	typ := v.Type()
	if !typ.IsObjectType() && !typ.IsMapType() {
		s.badToken(fmt.Sprintf(`%s must be an object: { id_token = "…", type = "ISO14443" }, not %s.`, a.Name, diag.Article(typ)), a)
		return t, false
	}
	var info cty.Value
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		switch k.AsString() {
		case "id_token":
			t.IDToken, ok = s.tokenText(e, "id_token", a)
		case "type":
			t.Type, ok = s.tokenText(e, "type", a)
		case "additional_info":
			info = e
		case "group_id_token":
			s.badToken(fmt.Sprintf("%s is a whole token block. Write what it holds: token.NAME.id_token.", a.Name), a)
			ok = false
		default:
			s.badToken(fmt.Sprintf("%s has no attribute %q; there are id_token, type and additional_info.%s", a.Name, k.AsString(), didYouMean(k.AsString(), []string{"id_token", "type", "additional_info"})), a)
			ok = false
		}
		if !ok {
			return t, false
		}
	}
	if info != cty.NilVal {
		t.AdditionalInfo = s.additional(info, version, a)
	}
	return t, s.l.diags.Errors() == before && s.checkToken(t, version, a)
}

func (s *scope) badToken(detail string, a *hcl.Attribute) {
	p := problem{code: codeToken, summary: "Invalid token", detail: detail, subject: a.Expr.Range().Ptr(), address: s.address, quiet: true}
	s.l.err(p) // without the expression: its values may be the token
}

// tokenText reads a part of a token; absent and null are "".
func (s *scope) tokenText(v cty.Value, name string, a *hcl.Attribute) (string, bool) {
	if v.IsMarked() {
		v, _ = v.Unmark()
	}
	if v.IsKnown() && v.IsNull() {
		return "", true
	}
	v, _, ok := s.known(v, a.Expr)
	if !ok {
		return "", false
	}
	if v.Type() != cty.String {
		// A number would lose leading zeros, and cards have them.
		s.badToken(fmt.Sprintf("%s in %s must be a string, in quotes, not %s.", name, a.Name, diag.Article(v.Type())), a)
		return "", false
	}
	return v.AsString(), true
}

func (s *scope) checkToken(t reservation.Token, version string, a *hcl.Attribute) bool {
	known := slices.Concat(tokenTypes, tokenTypes21)
	limit, n := maxToken[version], utf8.RuneCountInString(t.IDToken)
	bad := ""
	switch {
	case t.Type == "":
		bad = fmt.Sprintf("%s has no type; it is one of %s.", a.Name, strings.Join(known, ", "))
	case !slices.Contains(known, t.Type):
		bad = fmt.Sprintf("%s has the type %q, which OCPP does not have.%s It is one of %s.", a.Name, t.Type, didYouMean(t.Type, known), strings.Join(known, ", "))
	case version == "2.0.1" && slices.Contains(tokenTypes21, t.Type):
		bad = fmt.Sprintf("%s has the type %s, which OCPP 2.0.1 does not have; it came with 2.1.", a.Name, t.Type)
	case t.Type == noAuthorization && t.IDToken != "":
		bad = fmt.Sprintf(`%s is of type NoAuthorization, so its id_token must be "".`, a.Name)
	case t.Type != noAuthorization && t.IDToken == "":
		bad = fmt.Sprintf("%s is empty; only type NoAuthorization has an empty id_token.", a.Name)
	case n > limit:
		bad = fmt.Sprintf("%s has %d characters; %s allows at most %d.", a.Name, n, versionName(version), limit)
	default:
		bad = badCharacters(t.IDToken, a.Name, version)
	}
	if bad != "" {
		s.badToken(bad, a)
	}
	return bad == ""
}

// badCharacters finds what no reader produces: blanks from a spreadsheet, say.
// 2.x allows fewer characters than 1.6.
func badCharacters(token, name, version string) string {
	for i, r := range token {
		if r <= ' ' || r > '~' {
			return fmt.Sprintf("%s holds a blank, a control character or a letter outside ASCII (character %d).", name, utf8.RuneCountInString(token[:i])+1)
		}
		if strings.HasPrefix(version, "2.") && !identifierRune(r) {
			return fmt.Sprintf("%s holds %q; %s allows letters, digits and * - _ = : + | @ .", name, r, versionName(version))
		}
	}
	return ""
}

// additional reads additional_info: a list of { additional_id_token, type }.
func (s *scope) additional(v cty.Value, version string, a *hcl.Attribute) []reservation.AdditionalInfo {
	if v.IsKnown() && v.IsNull() {
		return nil
	}
	v, _, ok := s.known(v, a.Expr)
	if !ok {
		return nil
	}
	t := v.Type()
	if !(t.IsTupleType() || t.IsListType()) || v.LengthInt() == 0 {
		s.badToken("additional_info must be a list with at least one { additional_id_token = \"…\", type = \"…\" }; leave it out if there is none.", a)
		return nil
	}
	var out []reservation.AdditionalInfo
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		info, ok := s.oneAdditional(e, version, a)
		if !ok {
			return nil
		}
		out = append(out, info)
	}
	return out
}

func (s *scope) oneAdditional(e cty.Value, version string, a *hcl.Attribute) (info reservation.AdditionalInfo, ok bool) {
	if e, _, ok = s.known(e, a.Expr); !ok {
		return info, false
	}
	if t := e.Type(); !t.IsObjectType() || !t.HasAttribute("additional_id_token") || !t.HasAttribute("type") || len(t.AttributeTypes()) != 2 {
		s.badToken("each element of additional_info has additional_id_token and type, nothing else.", a)
		return info, false
	}
	var ok1, ok2 bool
	info.AdditionalIDToken, ok1 = s.tokenText(e.GetAttr("additional_id_token"), "additional_id_token", a)
	info.Type, ok2 = s.tokenText(e.GetAttr("type"), "type", a)
	limit := max(maxToken[version], 36) // 1.6 has no additional info; the union's limit is 2.1's
	if ok1 && ok2 && (info.AdditionalIDToken == "" || utf8.RuneCountInString(info.AdditionalIDToken) > limit || info.Type == "" || utf8.RuneCountInString(info.Type) > 50) {
		s.badToken(fmt.Sprintf("in additional_info, additional_id_token has 1 to %d characters and type 1 to 50.", limit), a)
		return info, false
	}
	return info, ok1 && ok2
}
