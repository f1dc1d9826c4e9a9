package server

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// block is the inside of a block, or of the file.
type block struct {
	r      *reader
	name   string // "ocpp"; "": the file
	attrs  hcl.Attributes
	blocks hcl.Blocks
	at     *hcl.Range
}

// inside reads a body whose settings are needed or may be left out, and whose
// blocks have as many labels as their names say: "token NAME" has one.
func (r *reader) inside(body hcl.Body, name string, at *hcl.Range, needed, optional, blocks []string) *block {
	schema := &hcl.BodySchema{}
	for _, n := range needed {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: n, Required: true})
	}
	for _, n := range optional {
		schema.Attributes = append(schema.Attributes, hcl.AttributeSchema{Name: n})
	}
	for _, n := range blocks {
		words := strings.Fields(n)
		schema.Blocks = append(schema.Blocks, hcl.BlockHeaderSchema{Type: words[0], LabelNames: words[1:]})
	}
	content, diags := body.Content(schema)
	for _, d := range diags {
		r.explain(d, slices.Concat(needed, optional, blocks))
	}
	r.adopt(diags, codeSetting)
	b := &block{r: r, name: name, at: at}
	if content != nil {
		b.attrs, b.blocks = content.Attributes, content.Blocks
	}
	return b
}

// explain adds what there is where something is not known.
func (r *reader) explain(d *hcl.Diagnostic, known []string) {
	if d.Summary != "Unsupported block type" && d.Summary != "Unsupported argument" && d.Summary != "Extraneous JSON object property" {
		return
	}
	if strings.Contains(d.Detail, "Did you mean") {
		return
	}
	for i, k := range known {
		known[i] = strings.Fields(k)[0]
	}
	d.Detail += " There are " + strings.Join(known, ", ") + "."
}

// one gives the only block of a type, or nil.
func (b *block) one(kind string) (found *hcl.Block) {
	for _, x := range b.blocks {
		switch {
		case x.Type != kind:
		case found != nil:
			b.r.err(codeSetting, x.DefRange.Ptr(), "Block given twice", fmt.Sprintf("There is one %s block already, at line %d.", kind, found.DefRange.Start.Line))
		default:
			found = x
		}
	}
	return found
}

// each gives the blocks of a type whose label is a name, each once.
func (b *block) each(kind string) (list []*hcl.Block) {
	seen := map[string]int{}
	for _, x := range b.blocks {
		if x.Type != kind {
			continue
		}
		label := x.Labels[0]
		switch line, twice := seen[label]; {
		case twice:
			b.r.err(codeSetting, x.DefRange.Ptr(), "Block given twice", fmt.Sprintf("There is a %s block %q already, at line %d.", kind, label, line))
			continue
		case !nameable(label):
			b.r.err(codeValue, labelRange(x), "Invalid name", fmt.Sprintf("The name of a %s block has 1 to 64 characters: letters, digits, \"-\", \"_\" and \".\".", kind))
			continue
		}
		seen[label] = x.DefRange.Start.Line
		list = append(list, x)
	}
	return list
}

func labelRange(x *hcl.Block) *hcl.Range {
	if len(x.LabelRanges) > 0 {
		return &x.LabelRanges[0]
	}
	return &x.DefRange
}

// nameable reports what a workspace, or a token, can be called.
func nameable(name string) bool {
	odd := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	}
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, odd)
}

// file reads the whole.
func (r *reader) file(body hcl.Body) *File {
	b := r.inside(body, "", nil, nil, []string{"state", "first_reservation_id", "retention", "horizon", "quiet_period", "move_timeout"},
		[]string{"ocpp", "api", "watch WORKSPACE", "notify", "metrics", "upstream"})
	if up := b.one("upstream"); up != nil {
		r.err(codeNotYet, up.DefRange.Ptr(), "upstream is not in this version", "This version of resctl does not work beside another CSMS. Remove the block, and let the stations connect to resctl itself.")
	}
	f := &File{
		OCPP: r.ocpp(b.one("ocpp")), API: r.api(b.one("api")), Notify: r.notify(b.one("notify")), Metrics: r.metrics(b.one("metrics")),
		State:     b.path("state"),
		Retention: b.duration("retention", MinRetention, MaxRetention), Horizon: b.duration("horizon", MinHorizon, MaxHorizon),
		QuietPeriod: b.duration("quiet_period", 0, MaxQuietPeriod), MoveTimeout: b.duration("move_timeout", MinMoveTimeout, MaxMoveTimeout),
	}
	if id := b.whole("first_reservation_id", 1, MaxFirstReservationID); id != nil {
		f.FirstReservationID = int32(*id)
	}
	for _, x := range b.each("watch") {
		f.Watches = append(f.Watches, r.watch(x))
	}
	return f
}

func (r *reader) ocpp(x *hcl.Block) *OCPP {
	if x == nil {
		return nil
	}
	b := r.inside(x.Body, "ocpp", &x.DefRange, nil, []string{"address", "security_profile", "unknown_stations", "authorization", "max_per_address", "max_message_rate"}, []string{"tls"})
	o := &OCPP{
		Address: b.address("address"), SecurityProfile: b.whole("security_profile", 0, 3), MaxPerAddress: b.whole("max_per_address", -1, 1<<20), MaxMessageRate: b.whole("max_message_rate", -1, 1e6),
		UnknownStations: b.choice("unknown_stations", "refuse", "accept"), Authorization: b.choice("authorization", "declared", "any"),
		TLS: r.tls(b.one("tls")),
	}
	if n := o.MaxPerAddress; n != nil && *n == 0 {
		r.err(codeValue, b.where("max_per_address"), "Invalid value for max_per_address", "It is a number from 1 on, or -1 for any number.")
	}
	if n := o.MaxMessageRate; n != nil && *n == 0 {
		r.err(codeValue, b.where("max_message_rate"), "Invalid value for max_message_rate", "It is a number from 1 on, or -1 for any number.")
	}
	r.profile(o, b)
	return o
}

// profile refuses a security profile and certificates that do not fit.
func (r *reader) profile(o *OCPP, b *block) {
	if o.SecurityProfile == nil {
		return
	}
	p, at := *o.SecurityProfile, b.where("security_profile")
	switch {
	case p >= 2 && o.TLS == nil:
		r.err(codeTogether, at, "TLS without a certificate", fmt.Sprintf("Security profile %d needs a tls block with cert_file and key_file.", p))
	case p < 2 && o.TLS != nil:
		r.err(codeTogether, at, "A certificate without TLS", fmt.Sprintf("Security profile %d has no TLS. With a tls block it is 2 or 3.", p))
	case p == 3 && o.TLS.ClientCAFile == "":
		r.err(codeTogether, at, "Whose certificates?", "Security profile 3 needs client_ca_file in the tls block.")
	case p == 2 && o.TLS.ClientCAFile != "":
		r.err(codeTogether, at, "Whose certificates?", "With client_ca_file stations show certificates: that is security profile 3.")
	}
}

func (r *reader) tls(x *hcl.Block) *TLS {
	if x == nil {
		return nil
	}
	b := r.inside(x.Body, "tls", &x.DefRange, []string{"cert_file", "key_file"}, []string{"client_ca_file", "rsa_key_exchange"}, nil)
	t := &TLS{CertFiles: b.paths("cert_file"), KeyFiles: b.paths("key_file"), ClientCAFile: b.path("client_ca_file"), RSAKeyExchange: b.flag("rsa_key_exchange")}
	if n, m := len(t.CertFiles), len(t.KeyFiles); n > 0 && m > 0 && n != m {
		r.err(codeTogether, b.where("key_file"), "Certificate without key", fmt.Sprintf("There are %d certificates and %d keys; each certificate needs its key, in the same order.", n, m))
	}
	return t
}

func (r *reader) api(x *hcl.Block) *API {
	if x == nil {
		return nil
	}
	b := r.inside(x.Body, "api", &x.DefRange, []string{"address"}, nil, []string{"tls", "token NAME"})
	a := &API{Address: b.address("address")}
	if t := b.one("tls"); t != nil {
		in := r.inside(t.Body, "tls", &t.DefRange, []string{"cert_file", "key_file"}, nil, nil)
		a.TLS = &APITLS{CertFile: in.path("cert_file"), KeyFile: in.path("key_file")}
	}
	for _, t := range b.each("token") {
		in := r.inside(t.Body, "token", &t.DefRange, []string{"sha256", "scope"}, []string{"workspaces"}, nil)
		a.Tokens = append(a.Tokens, Token{Name: t.Labels[0], SHA256: in.hash("sha256"), Scope: in.choice("scope", "read", "plan", "write", "admin"), Workspaces: in.names("workspaces")})
	}
	return a
}

func (r *reader) watch(x *hcl.Block) Watch {
	b := r.inside(x.Body, "watch", &x.DefRange, []string{"directory"}, []string{"interval", "settle", "max_cancel"}, nil)
	return Watch{Workspace: x.Labels[0], Directory: b.path("directory"), Interval: b.duration("interval", MinInterval, MaxInterval),
		Settle: b.duration("settle", 0, MaxInterval), MaxCancel: b.whole("max_cancel", 0, 1<<30)}
}

func (r *reader) metrics(x *hcl.Block) *Metrics {
	if x == nil {
		return nil
	}
	return &Metrics{Address: r.inside(x.Body, "metrics", &x.DefRange, []string{"address"}, nil, nil).address("address")}
}

func (r *reader) notify(x *hcl.Block) *Notify {
	if x == nil {
		return nil
	}
	b := r.inside(x.Body, "notify", &x.DefRange, []string{"url"}, []string{"secret", "secret_file", "grace"}, nil)
	n := &Notify{URL: b.url("url"), Secret: b.secret("secret"), SecretFile: b.path("secret_file"), Grace: b.duration("grace", 0, MaxGrace)}
	inline, file := b.attrs["secret"] != nil, b.attrs["secret_file"] != nil
	switch {
	case inline && file:
		r.err(codeTogether, b.where("secret_file"), "Two secrets", "Say either secret or secret_file.")
	case !inline && !file:
		r.err(codeTogether, &x.DefRange, "No secret", "Webhooks are signed: notify needs secret_file, the path of a file with 16 random characters or more, or secret.")
	case file && n.SecretFile != "":
		n.Secret = r.secretFile(n.SecretFile, b.where("secret_file"))
	}
	return n
}
