//! Pickles of real senders are read, all others refused, and none costs more than its size allows.

use super::*;
use proptest::prelude::*;

/// What `pickle.dumps(points, protocol)` of Python 3.11 writes for protocols 0 to 5, of
/// `[("web.a",(1763647500,1.5)), ("web.café",(1763647510.0,2)), ("web.a",(1763647520,True)), ("web.\\q",(1763647530,2**70)),
/// ("web.a",(-1,None)), ("web.b",("1763647540"," 3.5 ")), ["web.c",[1763647550,-7]]]`.
const OF_PYTHON_3: [&[u8]; 6] = [
    b"(lp0\n(Vweb.a\np1\n(I1763647500\nF1.5\ntp2\ntp3\na(Vweb.caf\xe9\np4\n(F1763647510.0\nI2\ntp5\ntp6\na(g1\n(I1763647520\nI01\ntp7\ntp8\na(Vweb.\x5cu005cq\np9\n(I1763647530\nL1180591620717411303424L\ntp10\ntp11\na(g1\n(I-1\nNtp12\ntp13\na(Vweb.b\np14\n(V1763647540\np15\nV 3.5 \np16\ntp17\ntp18\na(lp19\nVweb.c\np20\na(lp21\nI1763647550\naI-7\naaa.",
    b"]q\0((X\x05\0\0\0web.aq\x01(J\x0c \x1fiG?\xf8\0\0\0\0\0\0tq\x02tq\x03(X\x09\0\0\0web.caf\xc3\xa9q\x04(GA\xdaG\xc8\x05\x80\0\0K\x02tq\x05tq\x06(h\x01(J  \x1fiI01\ntq\x07tq\x08(X\x06\0\0\0web.\x5cqq\x09(J* \x1fiL1180591620717411303424L\ntq\ntq\x0b(h\x01(J\xff\xff\xff\xffNtq\x0ctq\x0d(X\x05\0\0\0web.bq\x0e(X\n\0\0\x001763647540q\x0fX\x05\0\0\0 3.5 q\x10tq\x11tq\x12]q\x13(X\x05\0\0\0web.cq\x14]q\x15(J> \x1fiJ\xf9\xff\xff\xffeee.",
    b"\x80\x02]q\0(X\x05\0\0\0web.aq\x01J\x0c \x1fiG?\xf8\0\0\0\0\0\0\x86q\x02\x86q\x03X\x09\0\0\0web.caf\xc3\xa9q\x04GA\xdaG\xc8\x05\x80\0\0K\x02\x86q\x05\x86q\x06h\x01J  \x1fi\x88\x86q\x07\x86q\x08X\x06\0\0\0web.\x5cqq\x09J* \x1fi\x8a\x09\0\0\0\0\0\0\0\0@\x86q\n\x86q\x0bh\x01J\xff\xff\xff\xffN\x86q\x0c\x86q\x0dX\x05\0\0\0web.bq\x0eX\n\0\0\x001763647540q\x0fX\x05\0\0\0 3.5 q\x10\x86q\x11\x86q\x12]q\x13(X\x05\0\0\0web.cq\x14]q\x15(J> \x1fiJ\xf9\xff\xff\xffeee.",
    b"\x80\x03]q\0(X\x05\0\0\0web.aq\x01J\x0c \x1fiG?\xf8\0\0\0\0\0\0\x86q\x02\x86q\x03X\x09\0\0\0web.caf\xc3\xa9q\x04GA\xdaG\xc8\x05\x80\0\0K\x02\x86q\x05\x86q\x06h\x01J  \x1fi\x88\x86q\x07\x86q\x08X\x06\0\0\0web.\x5cqq\x09J* \x1fi\x8a\x09\0\0\0\0\0\0\0\0@\x86q\n\x86q\x0bh\x01J\xff\xff\xff\xffN\x86q\x0c\x86q\x0dX\x05\0\0\0web.bq\x0eX\n\0\0\x001763647540q\x0fX\x05\0\0\0 3.5 q\x10\x86q\x11\x86q\x12]q\x13(X\x05\0\0\0web.cq\x14]q\x15(J> \x1fiJ\xf9\xff\xff\xffeee.",
    b"\x80\x04\x95\xaa\0\0\0\0\0\0\0]\x94(\x8c\x05web.a\x94J\x0c \x1fiG?\xf8\0\0\0\0\0\0\x86\x94\x86\x94\x8c\x09web.caf\xc3\xa9\x94GA\xdaG\xc8\x05\x80\0\0K\x02\x86\x94\x86\x94h\x01J  \x1fi\x88\x86\x94\x86\x94\x8c\x06web.\x5cq\x94J* \x1fi\x8a\x09\0\0\0\0\0\0\0\0@\x86\x94\x86\x94h\x01J\xff\xff\xff\xffN\x86\x94\x86\x94\x8c\x05web.b\x94\x8c\n1763647540\x94\x8c\x05 3.5 \x94\x86\x94\x86\x94]\x94(\x8c\x05web.c\x94]\x94(J> \x1fiJ\xf9\xff\xff\xffeee.",
    b"\x80\x05\x95\xaa\0\0\0\0\0\0\0]\x94(\x8c\x05web.a\x94J\x0c \x1fiG?\xf8\0\0\0\0\0\0\x86\x94\x86\x94\x8c\x09web.caf\xc3\xa9\x94GA\xdaG\xc8\x05\x80\0\0K\x02\x86\x94\x86\x94h\x01J  \x1fi\x88\x86\x94\x86\x94\x8c\x06web.\x5cq\x94J* \x1fi\x8a\x09\0\0\0\0\0\0\0\0@\x86\x94\x86\x94h\x01J\xff\xff\xff\xffN\x86\x94\x86\x94\x8c\x05web.b\x94\x8c\n1763647540\x94\x8c\x05 3.5 \x94\x86\x94\x86\x94]\x94(\x8c\x05web.c\x94]\x94(J> \x1fiJ\xf9\xff\xff\xffeee.",
];

type Read = Result<(String, f64, f64), Refused>;

fn read_all(frame: &[u8]) -> Result<Vec<Read>, Refused> {
    let pickled = read(frame)?;
    let owned = |item: Item<'_>| (item.path.to_owned(), item.secs, item.value);
    Ok(pickled.items().map(|item| item.map(owned)).collect())
}

#[test]
fn every_protocol_of_python_is_read() {
    for (protocol, frame) in OF_PYTHON_3.iter().enumerate() {
        let point = |path: &str, secs: f64, value: f64| Ok((path.to_owned(), secs, value));
        let expected = vec![
            point("web.a", 1_763_647_500.0, 1.5),
            point("web.caf\u{e9}", 1_763_647_510.0, 2.0),
            point("web.a", 1_763_647_520.0, 1.0),
            point("web.\\q", 1_763_647_530.0, 2_f64.powi(70)),
            Err(Refused::BadValue { text: "None".to_owned() }),
            point("web.b", 1_763_647_540.0, 3.5),
            point("web.c", 1_763_647_550.0, -7.0),
        ];
        assert_eq!(read_all(frame), Ok(expected), "protocol {protocol}");
    }
}

#[test]
fn strings_of_python_2_are_read() {
    let check = |frame: &[u8], path: &str| {
        assert_eq!(read_all(frame), Ok(vec![Ok((path.to_owned(), 5.0, 1.5))]), "{path}");
    };
    check(b"(lp0\n(S'web.a'\np1\n(I5\nF1.5\ntp2\ntp3\na.", "web.a");
    check(b"(lp0\n(S\"w'b.caf\\xc3\\xa9\\\\\"\np1\n(L5L\nF1.5\ntp2\ntp3\na.", "w'b.caf\u{e9}\\");
    check(
        b"(lp0\n(Vw\\ud83d\\ude00.\\U0001f600\\u00e9\np1\n(L5L\nF1.5\ntp2\ntp3\na.",
        "w\u{1f600}.\u{1f600}\u{e9}",
    );
    check(b"\x80\x02]q\0U\x05web.aq\x01K\x05G?\xf8\0\0\0\0\0\0\x86q\x02\x86q\x03a.", "web.a");
    check(b"\x80\x02]T\x05\0\0\0web.aM\x05\0G?\xf8\0\0\0\0\0\0\x86\x86a.", "web.a");
    check(b"\x80\x04]\x8d\x05\0\0\0\0\0\0\0web.a\x8a\x01\x05G?\xf8\0\0\0\0\0\0\x86\x86a.", "web.a");
    check(b"\x80\x03]C\x05web.a\x8b\x01\0\0\0\x05G?\xf8\0\0\0\0\0\0\x86\x86a.", "web.a");
}

#[track_caller]
fn refuse(frame: &[u8], expected: &Refused) {
    assert_eq!(read_all(frame).as_ref(), Err(expected), "{frame:?}");
}

#[test]
fn objects_are_never_made() {
    for frame in [
        // What Python makes of bytes below protocol 3, and of numpy's floats.
        b"\x80\x02]q\0c_codecs\nencode\nq\x01X\x05\0\0\0web.aq\x02X\x06\0\0\0latin1q\x03\x86q\x04Rq\x05."
            .as_slice(),
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
        b"(S'a'\nios\nsystem\n.",
        b"(S'a'\no.",
        b"N)\x81.",
        b"NN\x92.",
        b"NNb.",
        b"\x82\x01.",
        b"\x83\x01\0.",
        b"\x84\x01\0\0\0.",
        b"Pid\n.",
        b"NQ.",
        b"\x97.",
        b"N\x98.",
    ] {
        refuse(frame, &Refused::PickleObject);
    }
}

#[test]
fn broken_pickles_are_refused() {
    let check = |frame: &[u8], why: &'static str| refuse(frame, &Refused::BadPickle { why });
    check(b"", "ends too early");
    check(b"]", "ends too early");
    check(b".", "takes from an empty stack");
    check(b"N.", "holds no list");
    check(b"\x80\x06].", "is of a protocol above 5");
    check(b"}.", "holds something else than lists, tuples, texts and numbers");
    check(b"\xff.", "has an instruction that is not known");
    check(b"(.", "takes from an empty stack");
    check(b"N(a.", "takes from an empty stack");
    check(b"]N(at.", "takes from an empty stack");
    check(b"e.", "looks for a mark that is not there");
    check(b"NNa.", "appends to what is no list");
    check(b"h\0.", "refers to what it does not hold");
    check(b"gx\n.", "has a memo that is not numbered");
    check(b"Sx\n.", "has a string without quotes");
    check(b"S'\n.", "has a string without quotes");
    check(b"X\xff\xff\xff\xffab.", "ends too early");
    check(b"\x8d\xff\xff\xff\xff\xff\xff\xff\xffab.", "ends too early");
    check(b"\x8b\xff\xff\xff\x7fab.", "ends too early");
}

#[test]
fn a_bad_item_takes_no_other_with_it() {
    let good = b"X\x01\0\0\0aK\x05K\x01\x86\x86";
    let bad: [(&[u8], Refused); 8] = [
        (b"N", Refused::BadItem),
        (b"X\x02\0\0\0ab", Refused::BadItem),
        (b"K\x01K\x05K\x01\x86\x86", Refused::BadItem),
        (b"X\x01\0\0\0aK\x05\x85\x86", Refused::BadItem),
        (b"X\x01\0\0\0aK\x05K\x01K\x02\x87\x86", Refused::BadItem),
        (b"X\x01\0\0\0aNK\x01\x86\x86", Refused::BadTs { text: "None".to_owned() }),
        (b"X\x01\0\0\0aK\x01X\x01\0\0\0x\x86\x86", Refused::BadValue { text: "x".to_owned() }),
        (b"C\x02a\xffK\x05K\x01\x86\x86", Refused::NotUtf8 { column: 2 }),
    ];
    for (item, why) in bad {
        let frame = [b"](", item, good, b"e."].concat();
        assert_eq!(read_all(&frame), Ok(vec![Err(why), Ok(("a".to_owned(), 5.0, 1.0))]), "{item:?}");
    }
}

#[test]
fn a_list_may_hold_itself_and_nest_as_deep_as_it_likes() {
    let itself = read_all(b"]q\0h\0a.").unwrap();
    assert_eq!(itself, [Err(Refused::BadItem)]);
    let mut deep = vec![b']'; 400_000];
    deep.extend(vec![b'a'; 399_999]);
    deep.push(b'.');
    assert_eq!(read_all(&deep).unwrap(), [Err(Refused::BadItem)]);
    let tuples = [vec![b'N'], vec![0x85; 400_000], vec![b'.']].concat();
    assert_eq!(read_all(&tuples).unwrap(), [Err(Refused::BadItem)]);
    let marks = [vec![b'('; 400_000], vec![b't'; 400_000], vec![b'.']].concat();
    assert_eq!(read_all(&marks).unwrap(), [Err(Refused::BadItem)]);
}

#[test]
fn what_repeats_a_long_text_is_refused_before_it_costs_anything() {
    let path = vec![b'x'; MAX_PATH_BYTES];
    let item = [b"X\0\x08\0\0".as_slice(), &path, b"K\x05K\x01\x86\x86q\0"].concat();
    let frame = [b"(".as_slice(), &item, &b"h\0".repeat(100_000), b"l."].concat();
    refuse(&frame, &Refused::BadPickle { why: "repeats long paths" });
    // A number's text is looked at up to a length alone.
    let number = [b"](X\x01\0\0\0aK\x05V".as_slice(), &vec![b'1'; 900_000], b"\n\x86\x86e."].concat();
    assert!(matches!(read_all(&number).unwrap()[0], Err(Refused::BadValue { .. })));
}

#[test]
fn long_numbers_are_floats() {
    let check = |bytes: &[u8], expected: Option<f64>| {
        assert_eq!(long(bytes), expected.map_or(Value::Nothing, Value::Number), "{bytes:?}");
    };
    check(b"", Some(0.0));
    check(b"\xff", Some(-1.0));
    check(b"\xff\0", Some(255.0));
    check(&[0, 0, 0, 0, 0, 0, 0, 0, 1], Some(2_f64.powi(64)));
    check(&[0xff; 16], Some(-1.0));
    check(&[0; 17], None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(read_all(&bytes));
    }

    /// Of instructions that exist, so that more of them is reached.
    #[test]
    fn any_instructions_are_read_or_refused(
        codes in prop::collection::vec(
            prop::sample::select(b"().012aelt]Np1\ng1\nq\x01h\x01K\x05\x94\x85\x86\x87\x88I5\nS'a'\nV\\u0041\nU\x01a\x8a\x01".to_vec()),
            0..200,
        ),
    ) {
        drop(read_all(&codes));
    }

    #[test]
    fn a_changed_pickle_is_read_or_refused(
        protocol in 0..6_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        end in any::<prop::sample::Index>(),
    ) {
        let mut frame = OF_PYTHON_3[protocol].to_vec();
        for (at, byte) in changes {
            let at = at.index(frame.len());
            frame[at] = byte;
        }
        drop(read_all(&frame));
        drop(read_all(&frame[..end.index(frame.len())]));
    }

    #[test]
    fn numbers_come_back(secs in any::<i32>(), value in any::<f64>(), path in "[a-z.é]{1,40}") {
        let frame = [
            b"\x80\x02](X".as_slice(), &(path.len() as u32).to_le_bytes(), path.as_bytes(),
            b"J", &secs.to_le_bytes(), b"G", &value.to_be_bytes(), b"\x86\x86e.",
        ].concat();
        let items = read_all(&frame).unwrap();
        let (found, found_secs, found_value) = items[0].clone().unwrap();
        prop_assert_eq!((found, found_secs, found_value.to_bits()), (path, f64::from(secs), value.to_bits()));
    }
}
