package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/resctl/resctl/config"
)

// outputList is all outputs of a configuration.
type outputList struct {
	FormatVersion string                 `json:"format_version"`
	Outputs       map[string]outputAbout `json:"outputs"` // by name
	all           []config.Output
}

// outputAbout is one output.
type outputAbout struct {
	Description string `json:"description,omitempty"`
	Sensitive   bool   `json:"sensitive"` // lists for people do not show the value
	Type        any    `json:"type"`      // as Terraform writes types: "string", ["list","string"]
	Value       any    `json:"value"`
}

func (c *cli) outputCommand() *cobra.Command {
	var asJSON, raw bool
	var vars inputs
	cmd := &cobra.Command{
		Use: "output [NAME]", Short: "Shows the outputs of the configuration, or one of them",
		Long: "Shows the values of output blocks. They come from the configuration, not from the\n" +
			"state. Sensitive ones are shown whole to who names one, or asks for JSON.",
		Example: "  resctl output                  all, sensitive ones without their values\n" +
			"  resctl output --raw greeting   a text, a number or a boolean, without quotes",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problemf(codeUsage, "One output at most", "output takes one NAME, or none for all of them.")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			c.view = c.newView(asJSON)
			switch {
			case raw && asJSON:
				return problemf(codeUsage, "Both --raw and --json", "Choose one of the two.")
			case raw && len(args) == 0:
				return problemf(codeUsage, "Which output?", "--raw writes one output: resctl output --raw NAME.")
			}
			return c.output(strings.Join(args, ""), vars, asJSON, raw)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON: all of them, or the value alone of the one that is named")
	cmd.Flags().BoolVar(&raw, "raw", false, "write a text, a number or a boolean as it is")
	vars.flags(cmd.Flags())
	return cmd
}

func (c *cli) output(name string, vars inputs, asJSON, raw bool) error {
	cfg, ds := c.load(vars)
	c.view.Diagnostics(ds)
	if ds.HasErrors() {
		return exit(exitError)
	}
	if name == "" {
		return c.outputs(cfg)
	}
	i := slices.IndexFunc(cfg.Outputs, func(o config.Output) bool { return o.Name == name })
	if i < 0 {
		var known []string
		for _, o := range cfg.Outputs {
			known = append(known, o.Name)
		}
		return problemf(codeNoOutput, "No such output", "The configuration has no output %q.%s", name, meant(name, known, func(s string) string { return s }))
	}
	o := cfg.Outputs[i]
	switch {
	case asJSON:
		_, value, err := o.JSON()
		c.view.About(value)
		return err
	case !raw:
		c.view.About(o.Text())
		return nil
	}
	text, ok := o.Raw()
	if !ok {
		return problemf(codeUsage, "Not a plain value", "The output %q is no text, number or boolean. Use --json.", name)
	}
	_, err := c.stdout.Write([]byte(text))
	return err
}

func (c *cli) outputs(cfg *config.Configuration) error {
	list := &outputList{FormatVersion: formatVersion, Outputs: map[string]outputAbout{}, all: cfg.Outputs}
	for _, o := range cfg.Outputs {
		typ, value, err := o.JSON()
		if err != nil {
			return err
		}
		list.Outputs[o.Name] = outputAbout{o.Description, o.Sensitive, json.RawMessage(typ), json.RawMessage(value)}
	}
	c.view.About(list)
	return nil
}

// outputs lists them, sensitive ones without their values.
func (v *textView) outputs(x *outputList) {
	for _, o := range x.all {
		value := "(sensitive value)"
		if !o.Sensitive {
			value = o.Text()
		}
		v.out.line(o.Name, " = ", value)
	}
	if len(x.all) == 0 {
		v.out.line("No outputs. An output block declares one.")
	}
}
