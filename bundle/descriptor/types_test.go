package descriptor

import "testing"

func TestOddType(t *testing.T) {
	code := newMapping()
	code.put("CodeUri", "x.zip")
	for _, tt := range []struct {
		typ   string
		props *mapping
		odd   bool
	}{
		{"AWS::SQS::Queue", nil, false},
		{"AWS::CloudFront::Function", nil, false},
		{"AWS::Serverless::HttpApi", nil, false},
		{"AWS::Lambda::Url", nil, false},
		{"Custom::Seed", nil, false},
		{"Acme::Team::Thing", nil, false},
		{"Acme::Team::Thing", code, true},
		{"Acme::Team::Thing::MODULE", nil, true},
		{"AWS::Serverless::Functoin", nil, true},
		{"AWS::Severless::Function", nil, true},
		{"AWS::Lamda::Function", nil, true},
		{"aws::lambda::function", nil, true},
		{" AWS::Lambda::Function", nil, true},
		{"AWS::Lambda::Functions", nil, true},
		{"AWS::Lambda", nil, true},
		{"Function", nil, true},
	} {
		if got := oddType(tt.typ, tt.props) != ""; got != tt.odd {
			t.Errorf("oddType(%q, %v) = %v, want %v", tt.typ, tt.props, got, tt.odd)
		}
	}
}
