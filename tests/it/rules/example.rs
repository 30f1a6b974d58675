use kafka_rest_proxy::config::{self, Args};
use kafka_rest_proxy::model::{Principal, Right, Subject};
use kafka_rest_proxy::rules::{Asker, Rules};

const OPERATIONS: &str = include_str!("../../../docs/OPERATIONS.md");

/// Returns the rules of the example in the documentation.
fn example() -> Rules {
    let text = OPERATIONS.split("```toml\n").find(|part| part.contains("[rules.shop]")).expect("the example is there");
    let text = text.split("```").next().expect("it ends");
    let path = std::env::temp_dir().join(format!("{}.toml", crate::harness::unique("rules")));
    std::fs::write(&path, text).expect("it can be written");
    let args = Args { dev: true, config: Some(path.clone()), ..Args::default() };
    let config = config::load(&args, std::iter::empty()).expect("the example is good");
    std::fs::remove_file(&path).expect("it is there");
    Rules::new(&config.rules)
}

#[test]
fn the_example_of_three_teams_allows_what_it_says() {
    use Right::{Alter, Create, Delete, Describe, Read, Write};
    let rules = example();
    let cases = [
        ("shop-web", Write, Subject::Topic("orders"), true),
        ("shop-web", Create, Subject::Topic("shop.carts"), true),
        ("shop-web", Describe, Subject::Topic("orders"), true),
        ("shop-web", Read, Subject::Topic("orders"), false),
        ("billing", Read, Subject::Topic("orders"), true),
        ("billing", Write, Subject::Topic("orders"), false),
        ("billing", Read, Subject::Group("billing-7"), true),
        ("billing", Read, Subject::Group("warehouse-7"), false),
        ("billing", Describe, Subject::Connect("default"), false),
        ("warehouse-1", Delete, Subject::Connector("default", "warehouse-sink"), true),
        ("warehouse-1", Describe, Subject::Connector("default", "shop-sink"), false),
        ("warehouse-1", Alter, Subject::Connect("default"), false),
        ("warehouse-1", Alter, Subject::Topic("warehouse.stock"), true),
        ("warehouse-1", Delete, Subject::Topic("warehouse.stock"), false),
        ("ops-1", Alter, Subject::Cluster, true),
        ("ops-1", Alter, Subject::Connect("default"), true),
        ("stranger", Describe, Subject::Anything, false),
        ("", Read, Subject::Topic("public.prices"), true),
        ("", Read, Subject::Topic("orders"), false),
    ];
    for (name, right, subject, expected) in cases {
        let principal = if name.is_empty() { Principal::default() } else { Principal::named(name) };
        let asker = Asker { principal, method: "GET" };
        assert_eq!(rules.allow(&asker, right, subject), expected, "{name:?} {right:?} {subject:?}");
    }
    let anonymous = Asker { principal: Principal::default(), method: "POST" };
    assert!(!rules.allow(&anonymous, Read, Subject::Topic("public.prices")));
}
