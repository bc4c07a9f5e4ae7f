package fleet

import "strings"

// functionARN is the ARN of a function
// (https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html, FunctionArn).
type functionARN struct {
	partition, region, account, name string
	qualifier                        string // version or alias; "" when there is none
}

// bare is the ARN without a qualifier.
func (f functionARN) bare() string {
	return strings.Join([]string{"arn", f.partition, "lambda", f.region, f.account, "function", f.name}, ":")
}

func parseFunction(arn string) (functionARN, bool) {
	p := strings.Split(arn, ":")
	if len(arn) > maxARN || len(p) < 7 || len(p) > 8 || p[5] != "function" || !lambdaARN(p) {
		return functionARN{}, false
	}
	f := functionARN{partition: p[1], region: p[3], account: p[4], name: p[6]}
	if len(p) == 8 {
		f.qualifier = p[7]
		if f.qualifier == "" || len(f.qualifier) > 128 || !plain(f.qualifier, "$-_") {
			return f, false
		}
	}
	return f, f.name != "" && len(f.name) <= maxName && plain(f.name, "-_.")
}

// layerARN is the ARN of a version of a layer
// (https://docs.aws.amazon.com/lambda/latest/api/API_Layer.html, Arn).
type layerARN struct {
	layer   string // the ARN without the version
	account string
	version string // a number
}

func parseLayer(arn string) (layerARN, bool) {
	p := strings.Split(arn, ":")
	if len(arn) > maxARN || len(p) != 8 || p[5] != "layer" || !lambdaARN(p) {
		return layerARN{}, false
	}
	ok := p[6] != "" && len(p[6]) <= maxName && plain(p[6], "-_") && isNumber(p[7])
	return layerARN{strings.Join(p[:7], ":"), p[4], p[7]}, ok
}

// lambdaARN checks what all ARNs of the service have in common.
func lambdaARN(p []string) bool {
	return p[0] == "arn" && p[1] != "" && plain(p[1], "-") && p[2] == "lambda" && p[3] != "" && plain(p[3], "-") && isAccount(p[4])
}

func isAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }

func isVersion(s string) bool { return s == "$LATEST" || isNumber(s) }

// isNumber says whether s is a number of a version: without a sign or leading zeros.
func isNumber(s string) bool {
	return s != "" && len(s) <= 18 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}
