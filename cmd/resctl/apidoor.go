package main

import (
	"crypto/tls"
	"net"
	"strings"

	"github.com/spf13/pflag"

	"github.com/resctl/resctl/api"
	"github.com/resctl/resctl/ocppclient"
)

// apiFlags say where other machines reach the API, and how they come in.
type apiFlags struct {
	address, cert, key string
	tokens             []string // NAME=SCOPE[:WORKSPACE,…]:SHA256
}

func (f *apiFlags) flags(s *pflag.FlagSet) {
	s.StringVar(&f.address, "api", "", "answer the API at `ADDR`, such as 127.0.0.1:8880; without it, at the socket beside the state alone")
	s.StringVar(&f.cert, "api-cert", "", "the API shows the certificate in `FILE`, with its chain")
	s.StringVar(&f.key, "api-key", "", "the key in `FILE` belongs to --api-cert")
	s.StringArrayVar(&f.tokens, "api-token", nil, "let in who has the token of this hash: `NAME=SCOPE[:WORKSPACE,...]:SHA256`, with scope read, plan, write or admin; may be repeated")
}

// apiDoor is where the API is reached over the network.
type apiDoor struct {
	net.Listener
	url         string
	tokens      []api.Token
	open        bool                    // without tokens everybody reads
	credentials *ocppclient.Credentials // nil: no TLS
	server      *api.Server             // that answers there
}

// readTokens reads what is given for --api-token; names are told apart.
func readTokens(list []string) ([]api.Token, error) {
	var tokens []api.Token
	names := map[string]bool{}
	for _, text := range list {
		t, err := api.ParseToken(text)
		if err != nil {
			return nil, problemf(codeUsage, "Wrong --api-token", "%s.", capital(harmless(err.Error())))
		}
		if names[t.Name] {
			return nil, problemf(codeUsage, "Two tokens with one name", "Each --api-token has a name of its own, for it goes into the journal; two are called %s.", harmless(t.Name))
		}
		names[t.Name] = true
		tokens = append(tokens, t)
	}
	return tokens, nil
}

// check refuses what cannot be, before anything listens.
func (f *apiFlags) check(insecure bool) ([]api.Token, error) {
	if f.address == "" {
		if f.cert != "" || f.key != "" || len(f.tokens) > 0 {
			return nil, problemf(codeUsage, "Where is the API?", "--api-cert, --api-key and --api-token go with --api ADDR.")
		}
		return nil, nil
	}
	if (f.cert == "") != (f.key == "") {
		return nil, problemf(codeUsage, "Certificate without key", "--api-cert and --api-key go together.")
	}
	tokens, err := readTokens(f.tokens)
	if err != nil {
		return nil, err
	}
	if _, _, err := net.SplitHostPort(f.address); err != nil {
		return nil, problemf(codeAddress, "Not an address: "+f.address, "Write host and port, such as --api 127.0.0.1:8880.")
	}
	far := ocppclient.CheckExposure(f.address, false, false) != nil
	if lacks := f.lacks(tokens); far && lacks != "" && !insecure {
		return nil, problemf(codeOpenAPI, "Anyone could reach the API", "Other machines reach %s, and there is no %s.\nAdd it, listen on 127.0.0.1, or say --insecure.", f.address, lacks)
	}
	return tokens, nil
}

func (f *apiFlags) lacks(tokens []api.Token) string {
	switch {
	case len(tokens) == 0 && f.cert == "":
		return "--api-token and no --api-cert"
	case len(tokens) == 0:
		return "--api-token"
	case f.cert == "":
		return "--api-cert"
	}
	return ""
}

func (f *apiFlags) files() ocppclient.CredentialFiles {
	return ocppclient.CredentialFiles{Certificates: []string{f.cert}, Keys: []string{f.key}}
}

// load reads the certificate.
func (f *apiFlags) load() (*ocppclient.Credentials, error) {
	c, err := ocppclient.LoadCredentials(f.files())
	if err != nil {
		return nil, problemf(codeCredentials, "The certificates cannot be used", "%s.", harmless(err.Error()))
	}
	return c, nil
}

// openAPI takes the address of the API; nil: there is none.
func (w *workplace) openAPI(f apiFlags, insecure bool) (*apiDoor, error) {
	tokens, err := f.check(insecure)
	if err != nil || f.address == "" {
		return nil, err
	}
	d := &apiDoor{tokens: tokens, open: insecure && len(tokens) == 0}
	if f.cert != "" {
		if d.credentials, err = f.load(); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		return nil, problemf(codeAddress, "Cannot listen on "+f.address, "%s.\nChoose another address, such as --api 127.0.0.1:8880, or stop what uses this one.", reasonOf(err, f.address))
	}
	d.Listener, d.url = api.Bounded(l), "http://"+l.Addr().String()
	if d.credentials != nil {
		d.Listener, d.url = tls.NewListener(d.Listener, d.credentials.TLS()), "https"+strings.TrimPrefix(d.url, "http")
	}
	switch {
	case d.open:
		w.log.Warn("the API has no tokens: everybody who reaches it may read what is stored", "address", f.address)
	case len(tokens) == 0:
		w.log.Warn("the API has no tokens: nobody is let in", "address", f.address)
	case d.credentials == nil && insecure:
		w.log.Warn("the API has no TLS: tokens may be read by others on the way", "address", f.address)
	}
	return d, nil
}

// address is how it is reached; "" where it is not.
func (d *apiDoor) address() string {
	if d == nil {
		return ""
	}
	return d.url
}

// admits tells a server whom to let in.
func (d *apiDoor) admits(s *api.Server) {
	if d == nil {
		return
	}
	d.server = s
	s.SetTokens(d.tokens)
	if d.open {
		s.OpenToAll()
	}
}

// prepare reads tokens and certificate again; what it gives puts them to use.
func (d *apiDoor) prepare(f apiFlags, insecure bool) (use func(), err error) {
	tokens, err := f.check(insecure)
	if err != nil {
		return nil, err
	}
	put := func() {}
	if d.credentials != nil && f.cert != "" {
		if put, err = d.credentials.Prepare(f.files()); err != nil {
			return nil, err
		}
	}
	return func() {
		put()
		d.server.SetTokens(tokens)
	}, nil
}
