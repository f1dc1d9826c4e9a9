package reservation

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

// Salted returns the declaration with its clear password replaced by a salted
// hash; without a clear password it returns it as it is.
func (s StationDeclaration) Salted() StationDeclaration {
	if s.ClearPassword == "" {
		return s
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	s.PasswordSalt = hex.EncodeToString(salt)
	s.PasswordHash = saltedHash(s.PasswordSalt, []byte(s.ClearPassword))
	s.ClearPassword = ""
	return s
}

// CheckPassword compares in constant time. It is false where none is declared.
//
// Stations of OCPP 1.6 are given a key of 32 to 40 hexadecimal digits and send
// the bytes that it stands for (AuthorizationKey, security whitepaper edition
// 3): such bytes match the digits, if all of their letters are of one case.
func (s StationDeclaration) CheckPassword(password []byte) bool {
	matches := s.matches(password)
	if n := len(password); n >= 16 && n <= 20 {
		digits := hex.EncodeToString(password)
		matches |= s.matches([]byte(digits)) | s.matches([]byte(strings.ToUpper(digits)))
	}
	return matches == 1 && s.PasswordHash != ""
}

func (s StationDeclaration) matches(password []byte) int {
	return subtle.ConstantTimeCompare([]byte(s.PasswordHash), []byte(saltedHash(s.PasswordSalt, password)))
}

func saltedHash(salt string, password []byte) string {
	sum := sha256.Sum256(append([]byte(salt), password...))
	return hex.EncodeToString(sum[:])
}

// Keyed returns the first n bytes, in hexadecimal, of an HMAC-SHA256 over parts.
func Keyed(secret []byte, n int, parts ...string) string {
	mac := hmac.New(sha256.New, secret)
	for _, p := range parts {
		mac.Write([]byte(p))
		mac.Write([]byte{0})
	}
	return hex.EncodeToString(mac.Sum(nil)[:n])
}

// Fingerprint is how a token is shown: keyed, so that it cannot be guessed
// back, and the same wherever the token is used within one state. Who has no
// secret was given fingerprints in the place of tokens: they stay, and anything
// else is not shown.
func (t Token) Fingerprint(secret []byte) string {
	switch {
	case len(secret) > 0:
		return "#" + Keyed(secret, 2, "token", strings.ToUpper(t.IDToken))
	case t.IsFingerprint():
		return t.IDToken
	}
	return "#????"
}

// IsFingerprint reports whether it is a fingerprint in the place of a token.
// No identifier of OCPP begins so.
func (t Token) IsFingerprint() bool {
	digits, ok := strings.CutPrefix(t.IDToken, "#")
	return ok && len(digits) == 4 && strings.Trim(digits, "0123456789abcdef") == ""
}

// KeyedHash stands for the hash of a declaration where that is shown: a hash
// over a token would let it be guessed back.
func KeyedHash(secret []byte, hash string) string { return Keyed(secret, 8, "before", hash) }

// Masked is the token with its characters replaced by its fingerprint.
func (t Token) Masked(secret []byte) Token {
	return Token{IDToken: t.Fingerprint(secret), Type: t.Type}
}

// Masked is the declaration with its tokens masked.
func (t TokenDeclaration) Masked(secret []byte) TokenDeclaration {
	t.IDToken, t.GroupIDToken = t.IDToken.Masked(secret), maskedPointer(t.GroupIDToken, secret)
	return t
}

// Masked is the declaration with its tokens masked.
func (d Declaration) Masked(secret []byte) Declaration {
	d.IDToken = d.IDToken.Masked(secret)
	if d.GroupIDToken != nil {
		g := d.GroupIDToken.Masked(secret)
		d.GroupIDToken = &g
	}
	return d
}

// Masked is the station block without its password's salt and hash.
func (s StationDeclaration) Masked() StationDeclaration {
	s.ClearPassword, s.PasswordSalt, s.PasswordHash = "", "", ""
	return s
}

// Masked is the edit with both its sides masked.
func (e StationEdit) Masked() StationEdit {
	for _, side := range []**StationDeclaration{&e.Before, &e.After} {
		if *side != nil {
			m := (*side).Masked()
			*side = &m
		}
	}
	return e
}

// Masked is the edit with the tokens of both its sides masked.
func (e TokenEdit) Masked(secret []byte) TokenEdit {
	for _, side := range []**TokenDeclaration{&e.Before, &e.After} {
		if *side != nil {
			m := (*side).Masked(secret)
			*side = &m
		}
	}
	return e
}

// Masked is the event as it may be shown: its tokens are fingerprints, and it
// tells nothing of passwords.
func (e Event) Masked(secret []byte) Event {
	if e.Change != nil {
		c := *e.Change
		for _, side := range []**Wanted{&c.Before, &c.After} {
			if *side != nil {
				m := (*side).Masked(secret)
				*side = &m
			}
		}
		if c.Setup != nil {
			m := c.Setup.Masked()
			c.Setup = &m
		}
		if c.Token != nil {
			m := c.Token.Masked(secret)
			c.Token = &m
		}
		e.Change = &c
	}
	if e.Call != nil && e.Call.Content != nil {
		call, content := *e.Call, e.Call.Content.Masked(secret)
		call.Content, e.Call = &content, &call
	}
	if e.Transaction != nil {
		t := *e.Transaction
		t.IDToken, t.GroupIDToken = maskedPointer(t.IDToken, secret), maskedPointer(t.GroupIDToken, secret)
		e.Transaction = &t
	}
	return e
}

func maskedPointer(t *Token, secret []byte) *Token {
	if t == nil {
		return nil
	}
	m := t.Masked(secret)
	return &m
}

// Masked is the content with its tokens masked.
func (c Content) Masked(secret []byte) Content {
	c.IDToken, c.GroupIDToken = c.IDToken.Masked(secret), maskedPointer(c.GroupIDToken, secret)
	return c
}

// Masked is what is wanted with its tokens masked.
func (w Wanted) Masked(secret []byte) Wanted {
	w.Declaration = w.Declaration.Masked(secret)
	return w
}

// Masked is the occurrence with its tokens masked.
func (o Occurrence) Masked(secret []byte) Occurrence {
	for _, c := range []**Content{&o.Want, &o.Asked, &o.Held, &o.UpdateRefused} {
		if *c != nil {
			m := (*c).Masked(secret)
			*c = &m
		}
	}
	return o
}

// Masked is the station with the tokens of its transactions masked.
func (s Station) Masked(secret []byte) Station {
	open := make([]OpenTransaction, len(s.Transactions))
	for i, t := range s.Transactions {
		t.IDToken, t.GroupIDToken = maskedPointer(t.IDToken, secret), maskedPointer(t.GroupIDToken, secret)
		open[i] = t
	}
	s.Transactions = open
	return s
}
