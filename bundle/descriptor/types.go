package descriptor

import (
	"fmt"
	"slices"
	"strings"
)

// knownTypes are the resource types of the two services that functions belong
// to, without "AWS::"; as of 2026-11
// (docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-resources-and-properties.html,
// docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_Lambda.html).
func knownTypes() []string {
	return []string{
		"Serverless::Api", "Serverless::Application", "Serverless::CapacityProvider", "Serverless::Connector", "Serverless::Function",
		"Serverless::GraphQLApi", "Serverless::HttpApi", "Serverless::LayerVersion", "Serverless::SimpleTable", "Serverless::StateMachine", "Serverless::WebSocketApi",
		"Lambda::Alias", "Lambda::CapacityProvider", "Lambda::CodeSigningConfig", "Lambda::EventInvokeConfig", "Lambda::EventSourceMapping", "Lambda::Function",
		"Lambda::LayerVersion", "Lambda::LayerVersionPermission", "Lambda::Permission", "Lambda::Url", "Lambda::Version",
	}
}

// mayHoldCode reports whether resources of a type are functions or bring them.
func mayHoldCode(typ string) bool {
	switch typ {
	case "AWS::Serverless::Function", "AWS::Lambda::Function", "AWS::Serverless::Application", "AWS::CloudFormation::Stack":
		return true
	}
	return false
}

// oddType says why a resource of a type that is none of a function may be one
// all the same; "" when it is not. A deployment would refuse a misspelt type,
// and whoever scans before that must not hear that all functions are fine.
func oddType(typ string, props *mapping) string {
	if strings.HasSuffix(typ, "::MODULE") {
		return fmt.Sprintf("the module %s adds resources when it is deployed, so functions in it are not known: scan the processed template (aws cloudformation get-template --template-stage Processed)", clip(typ))
	}
	if strings.HasPrefix(typ, "Custom::") && len(typ) > len("Custom::") {
		return ""
	}
	odd := strings.Count(typ, "::") < 2 || strings.TrimSpace(typ) != typ
	if service, ok := strings.CutPrefix(typ, "AWS::"); ok && (strings.HasPrefix(service, "Serverless::") || strings.HasPrefix(service, "Lambda::")) {
		odd = odd || !slices.Contains(knownTypes(), service)
	} else {
		odd = odd || nearly(typ, "AWS::Serverless::Function") || nearly(typ, "AWS::Lambda::Function") || props.has("CodeUri")
	}
	if !odd {
		return ""
	}
	return fmt.Sprintf("the type %q is not one that this version knows, and may be a misspelt one of a function: correct the template, or scan the package by name", clip(typ))
}

// nearly reports whether a text is a word with up to two letters added, left
// out or changed, in whatever case.
func nearly(text, word string) bool {
	const most = 2
	text = strings.TrimSpace(text)
	if d := len(text) - len(word); d > most || d < -most {
		return false
	}
	text, word = strings.ToLower(text), strings.ToLower(word)
	row := make([]int, len(word)+1) // of Levenshtein's table
	for i := range row {
		row[i] = i
	}
	for i := range len(text) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(word) {
			cost := diagonal
			if text[i] != word[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(word)] <= most
}
