package wire

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// family is a type that contains itself every way a type can.
type family struct {
	Name     string
	Parent   *family
	Children []family
	ByName   map[string]*family
	Last     *string
}

func TestTypesThatContainThemselves(t *testing.T) {
	last := "z"
	want := family{
		Name: "a", Last: &last,
		Parent:   &family{Name: "b", Last: &last, Parent: &family{Name: "c", Last: &last}},
		Children: []family{{Name: "d", Last: &last, Children: []family{{Name: "e"}}}},
		ByName:   map[string]*family{"f": {Name: "f", Last: &last}},
	}
	c := newCodec(Service{})
	var got family
	if err := c.fromTree(c.toTree(&want, jsonLeaves()), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("round trip (-want +got):\n%s", diff)
	}
}

// hand is a type written by hand for EC2, with names of its own.
type hand struct {
	VpcIDs  []string `query:"VpcId" xml:"vpcSet"`
	OwnerID string
	DryRun  *bool
	Filters []filter `query:"Filter" xml:"filterSet"`
}

type filter struct {
	Name   string
	Values []string `query:"Value" xml:"valueSet"`
}

func TestEC2Form(t *testing.T) {
	form, err := url.ParseQuery("VpcId.2=b&VpcId.1=a&VpcId.10=c&OwnerId=o&DryRun=true&Filter.1.Name=n&Filter.1.Value.1=v&Filter.1.Value.2=w&Other=x")
	if err != nil {
		t.Fatal(err)
	}
	c := newCodec(Service{EC2: true})
	yes := true
	want := hand{VpcIDs: []string{"a", "b", "c"}, OwnerID: "o", DryRun: &yes, Filters: []filter{{Name: "n", Values: []string{"v", "w"}}}}
	var got hand
	if err := c.fromForm(form, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	const answer = `<DoResponse xmlns="ns"><requestId>id</requestId><vpcSet><item>a</item><item>b</item><item>c</item></vpcSet>` +
		`<ownerId>o</ownerId><dryRun>true</dryRun><filterSet><item><name>n</name><valueSet><item>v</item><item>w</item></valueSet></item></filterSet></DoResponse>`
	if diff := cmp.Diff(answer, string(c.answerXML("ns", "Do", "id", &want))); diff != "" {
		t.Errorf("encoded (-want +got):\n%s", diff)
	}
}
