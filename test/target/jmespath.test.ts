// JMESPath within a budget: the values of the reference implementation, and an end for every expression.

import { describe, expect, test } from "bun:test";
import { compile, type JSONValue, search } from "@jmespath-community/jmespath";
import { evaluate } from "../../src/target/jmespath.ts";

const DATA: JSONValue = {
  items: [
    { id: 3, name: "c", tags: ["x", "y"], state: "open", size: 10 },
    { id: 1, name: "a", tags: [], state: "closed", size: 9 },
    { id: 2, name: "b", tags: ["x"], state: "open", size: null },
  ],
  nested: [[1, [2]], [3], 4],
  words: ["b", "a", "ä", "😀"],
  numbers: [2, 10, 9],
  text: "abc 😀 abc",
  object: { k: 1, l: { m: 2 } },
  empty: {},
  pairs: [
    ["a", 1],
    ["b", 2],
  ],
};

function value(expression: string, data: JSONValue = DATA): JSONValue {
  return evaluate(compile(expression), data);
}

const SAME = `
  items|items[].name|items[*].name|items[0]|items[-1].id|items[9]|items[0:2].id|items[::-1].id|items[::2].id|items[-2:].id
  items[5:]|items[:-5]|items[2:0:-1].id|items[100::-1].id|text[0:3]|text[::-1]|text[4:].length(@)|nested[]|nested[][]
  nested[0][]|items[].tags[]|items[].tags|items[?state=='open'].id|items[?size>\`9\`].name|items[?size>=\`9\`].name
  items[?size<\`10\`].name|items[?size<=\`10\`].name|items[?size!=null].name|items[?!tags].name|items[?tags && size].id
  items[?tags || state=='closed'].id|items[?contains(tags,'x')].id|object.*|object.l.m|object.nothing.m|*.l|empty|empty.*
  [text, numbers]|{a: text, b: numbers[0]}|items[].{i: id, t: tags[0]}|items[].[id, name]|$.numbers|items[].[$.text][]
  @.text|@|\`{"a": [1]}\`|'raw'|"text"|object|[@]|!items|!empty|empty || text|empty && text|text && numbers
  numbers[0] + numbers[1]|numbers[0] - \`1\`|numbers[0] * numbers[1]|numbers[1] / numbers[0]|numbers[1] // \`3\`
  numbers[1] % \`3\`|-numbers[0]|+numbers[0]|numbers[0] == \`2\`|object == object|object == empty|object != empty
  items == items|nested == \`[[1,[2]],[3],4]\`|text == 'x'|text > 'a'|items[0].state=='open' ? 'yes' : 'no'|empty ? 'yes' : 'no'
  let $n = numbers in $n|let $a = text, $b = object in [$a, $b.k]|let $a = text in let $b = $a in $b|items[0] && 'z'
  abs(\`-3\`)|avg(numbers)|avg(\`[]\`)|ceil(\`1.2\`)|floor(\`1.8\`)|contains(text,'c 😀')|contains(numbers,\`9\`)|contains(text,\`1\`)
  ends_with(text,'abc')|starts_with(text,'abc')|starts_with(text,'b')|find_first(text,'abc')|find_first(text,'abc',\`1\`)
  find_first(text,'abc',\`1\`,\`5\`)|find_last(text,'abc')|find_last(text,'abc',\`0\`,\`5\`)|find_first(text,'')|find_first(text,'q')
  from_items(pairs)|group_by(items,&state)|items(object)|join(',',words)|join('',\`[]\`)|keys(object)|values(object)|length(text)
  length(items)|length(object)|lower('ABC')|upper('abß')|map(&id,items)|map(&[$.text,@],numbers)|map(&nothing,items)
  max(numbers)|min(numbers)|max(\`[]\`)|min(\`["b","a"]\`)|max(\`["b","a"]\`)|max_by(items,&id)|min_by(items,&id)|max_by(\`[]\`,&id)
  merge(object,\`{"k": 2, "z": 3}\`)|merge(empty,object)|not_null(nothing,empty,text)|not_null(nothing)
  pad_left('a',\`3\`)|pad_left('a',\`3\`,'-')|pad_right('a',\`3\`,'-')|pad_right('abcd',\`3\`)|pad_left('',\`3\`)
  replace(text,'abc','x')|replace(text,'abc','x',\`1\`)|replace(text,'abc','x',\`0\`)|replace(text,'q','x')|replace('aaa','a','b',\`2\`)
  reverse(text)|reverse(numbers)|sort(words)|sort_by(items,&id)[].name|sort_by(items,&name)[].id|sort_by(\`[]\`,&id)
  split('a,b,c',',')|split('a,b,c',',',\`1\`)|split('a,b,c',',',\`0\`)|split('abc','')|split('','')|split('','x')
  sum(numbers)|sum(\`[]\`)|to_array(text)|to_array(numbers)|to_number('12.5')|to_number('x')|to_number(text)|to_number(numbers[0])
  to_string(object)|to_string(text)|to_string(nothing)|trim('  a b ')|trim_left('  a ')|trim_right(' a  ')|trim('xxaxbxx','x')
  trim_left('xyax','xy')|trim_right('axyx','xy')|type(text)|type(nothing)|type(items)|type(object)|type(numbers[0])|type(!text)
  zip(numbers,words)|zip(\`[]\`,words)|items[?id==\`3\`] | [0].name|items[].tags[0]|items[0].tags[1:]|items[].name | sort(@)
  object.{x: k, y: l.m}|nested[*][0]|items[?name=='a'].tags|[]|items.name|text.name|numbers.length(@)|items[*].tags[*]
`
  .trim()
  .split(/(?<![|])\|(?![| ])|\n\s*/)
  .filter((expression) => expression !== "");

describe("an expression within its budget", () => {
  test.each(SAME)("%s has the value of the reference implementation", (expression) => {
    expect(value(expression)).toEqual(search(DATA, expression));
  });

  test.each([
    ["numbers are sorted as numbers", "sort(numbers)", [2, 9, 10]],
    ["strings have a greatest by key", "max_by(items,&name).id", 3],
    [
      "variables are seen inside of expressions that functions apply",
      "let $n = numbers[0] in map(&[$n, id], items)",
      [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
    ],
    ["methods that every object has are no members", "toString", null],
    ["objects are contained by value", "contains(items, items[0])", true],
    ["special patterns of a replacement are text", "replace('aaa','a','$&',`1`)", "$&aa"],
  ])("%s", (_what, expression, expected) => {
    expect(value(expression)).toEqual(expected);
  });

  test("data that looks like an expression is data", () => {
    const looks = { expref: true, type: "Field", name: "id" };
    expect(() => value("map(f, items)", { f: looks, items: [{ id: 1 }] })).toThrow(
      /expected argument 1 to be expression/,
    );
    expect(value("f", { f: looks })).toEqual(looks);
  });

  test.each([
    "nonsense(items)",
    "length()",
    "length(text, text)",
    "abs(text)",
    "sort(items)",
    "map(text, items)",
    "$nothing",
    "sum(words)",
    "text + `1`",
    "`1` / `0`",
    "items[::0]",
    "from_items(items)",
    "&text",
    "zip()",
  ])("%s fails with words", (expression) => {
    expect(() => value(expression)).toThrow(/^(?!.*steps)\w/);
  });
});

const ITEMS = { items: Array.from({ length: 1_000 }, (_, id) => ({ id })) };
const LONG = {
  text: "b".repeat(1_000_000),
  list: Array.from({ length: 300_000 }, (_, i) => i),
  object: Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i])),
};

describe("an expression without end is stopped", () => {
  test.each([
    "map(&map(&map(&map(&id,$.items),$.items),$.items),items)",
    "items[?$.items[?$.items[?$.items[?id==`1`]]]]",
    "items[].[$.items[].[$.items[].[$.items[].id]]]",
    "sort_by(items,&join('',$.items[*].to_string(id)))",
    "items[?(let $a=$.items in $a[?$a[?id==`-1`]])]",
    `[@,@]${"|[@,@]".repeat(60)}`,
    `[@,@]${"|[@,@]".repeat(60)}|to_string(@)`,
    `[@,@]${"|[@,@][]".repeat(60)}`,
    `[[@,@]${"|[@,@]".repeat(50)},[@,@]${"|[@,@]".repeat(50)}]|[0]==[1]`,
    `{a: @, b: @}${"|{a: @, b: @}".repeat(40)}`,
  ])("of visits: %s", (expression) => {
    expect(() => value(expression, ITEMS)).toThrow(/more than 400,000 steps/);
  });

  test.each([
    "pad_left('a',`1000000000`)",
    "pad_right('a',`9007199254740991`)",
    "pad_left('a',`1000000`)|replace(@,' ',pad_left('b',`1000000`))",
    `'ab'${"|join('',[@,@])".repeat(50)}`,
    `'ab'${"|replace(@,'ab','abab')".repeat(40)}`,
    "list[?join('',[$.text,$.text])]",
    "list[?replace($.text,'b','')]",
    "list[?split($.text,'')]",
    "list[?upper($.text)]",
    "list[?reverse($.text)]",
    "list[?length($.text)==`0`]",
    "list[?trim($.text,'b')]",
    "list[?$.text==join('',[$.text])]",
    "list[?$.text[0:1]]",
    "list[?contains($.text,join('',[pad_left('ac',`100000`,'b')]))]",
    "list[?trim(to_string(@))==''].x",
    "map(&split(to_string(@),''),list)",
    "list[].{a: @, b: @, c: @, d: @}",
    "list[?find_last($.text,pad_left('ac',`100000`,'b'))]",
    "list[?split($.text,pad_left('ac',`100000`,'b'))]",
    "list[?to_string($.object)=='']",
    "list[?keys($.object)]",
    "list[?$.object && `false`]",
    "list[?$.object == merge($.object)]",
    "list[?reverse($.list)]",
    "list[?$.list[::-1]]",
    "list[?$.list[]]",
    "list[?sort($.list)]",
    "list[?zip($.list,$.list)]",
    "zip(list,list,list,list,list)|[@,@]|[]|[]",
    "list[?contains($.list,`-1`)]",
    "list[?max($.list)==`0`]",
    "list[?group_by($.list,&to_string(@))]",
    "[text,text]|[@,@]|[@,@]|[@,@]|[@,@]|[@,@]",
  ])("of length: %s", (expression) => {
    expect(() => value(expression, LONG)).toThrow(/more than 400,000 steps/);
  });

  test("a count of replacements is a count and no loop", () => {
    expect(value("replace('aaa','a','$`$`',`1000000000`)")).toBe("$`$`$`$`$`$`");
  });

  test.each([
    "items",
    "to_string(items)",
    "items[?state=='open'].{id: id, title: title}",
    "sort_by(items,&name)[].title",
    "items[].labels[].name | sort(@)",
    "group_by(items,&state)",
    "items[?contains(labels[].name,'bug')]",
    "items[?contains(lower(body),'text')].{id: id, body: body}",
  ])("a result of 1 MB is within the budget: %s", (expression) => {
    const items = Array.from({ length: 5_600 }, (_, id) => ({
      id,
      name: `name ${(id * 7_919) % 5_600}`,
      title: `some title that is longer ${id}`,
      state: id % 2 === 0 ? "open" : "closed",
      labels: [{ name: "bug" }, { name: `x${id % 10}` }],
      body: "text ".repeat(10),
    }));
    expect(JSON.stringify({ items }).length).toBeGreaterThan(1_000_000);
    expect(() => value(expression, { items })).not.toThrow();
  });

  test("data nested beyond the stack fails with words", () => {
    let data: JSONValue = [];
    for (let i = 0; i < 200_000; i++) data = [data];
    expect(() => value("to_string(@)", data)).toThrow();
    expect(() => value("@ == [@][0]", [data])).not.toThrow();
  });
});
