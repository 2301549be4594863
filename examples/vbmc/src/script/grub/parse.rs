use crate::script::ScriptError;

const DEEPEST: usize = 8;
const MOST_STATEMENTS: usize = 4096;

/// A part of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Variable(String),
}

/// A word, whose variables are not filled in yet.
pub(super) type Word = Vec<Piece>;

/// A statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    Command(Vec<Word>),
    Menu {
        words: Vec<Word>,
        body: Vec<Statement>,
    },
}

enum Token {
    Word(Word),
    Open,
    Close,
    End,
}

/// Reads a script.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>, ScriptError> {
    // Statements of the blocks that are open, the innermost last, each with the words before its brace.
    let mut open: Vec<(Vec<Word>, Vec<Statement>)> = vec![(Vec::new(), Vec::new())];
    let mut words: Vec<Word> = Vec::new();
    let mut count = 0usize;
    let mut lexer = Lexer::new(text);
    loop {
        let token = lexer.next()?;
        let line = lexer.line;
        let syntax = |what| ScriptError::Syntax { line, what };
        match token {
            Some(Token::Word(word)) => {
                words.push(word);
                continue;
            }
            Some(Token::Open) => {
                if open.len() > DEEPEST {
                    return Err(syntax("blocks stand in blocks too deeply"));
                }
                open.push((std::mem::take(&mut words), Vec::new()));
                continue;
            }
            Some(Token::End | Token::Close) | None => {}
        }
        count = count.saturating_add(1);
        if count > MOST_STATEMENTS {
            return Err(ScriptError::TooLong("the script"));
        }
        let (_, statements) = open.last_mut().ok_or(syntax("unbalanced brace"))?;
        if !words.is_empty() {
            statements.push(Statement::Command(std::mem::take(&mut words)));
        }
        if matches!(token, Some(Token::Close)) {
            let (words, body) = open.pop().ok_or(syntax("unbalanced brace"))?;
            let (_, outer) = open.last_mut().ok_or(syntax("unbalanced brace"))?;
            outer.push(Statement::Menu { words, body });
        }
        if token.is_none() {
            let only = open.pop().filter(|_| open.is_empty());
            return only
                .map(|(_, statements)| statements)
                .ok_or(syntax("a block does not end"));
        }
    }
}

struct Lexer<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    line: usize,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text.chars().peekable(),
            line: 1,
        }
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.rest.next();
        if next == Some('\n') {
            self.line = self.line.saturating_add(1);
        }
        next
    }

    fn next(&mut self) -> Result<Option<Token>, ScriptError> {
        loop {
            match self.rest.peek() {
                None => return Ok(None),
                Some('\n' | ';') => {
                    self.bump();
                    return Ok(Some(Token::End));
                }
                Some(c) if c.is_whitespace() => {
                    self.bump();
                }
                Some('#') => while self.rest.next_if(|c| *c != '\n').is_some() {},
                Some('{') => {
                    self.bump();
                    return Ok(Some(Token::Open));
                }
                Some('}') => {
                    self.bump();
                    return Ok(Some(Token::Close));
                }
                Some(_) => return self.word().map(|word| Some(Token::Word(word))),
            }
        }
    }

    fn word(&mut self) -> Result<Word, ScriptError> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut quote: Option<char> = None;
        while let Some(&next) = self.rest.peek() {
            let ends = next.is_whitespace() || matches!(next, ';' | '{' | '}');
            if quote.is_none() && ends {
                break;
            }
            self.bump();
            match (next, quote) {
                ('\\', None | Some('"')) => match self.bump() {
                    Some('\n') | None => {}
                    Some(c) => text.push(c),
                },
                ('$', None | Some('"')) => {
                    let name = self.variable()?;
                    pieces.push(Piece::Text(std::mem::take(&mut text)));
                    pieces.push(Piece::Variable(name));
                }
                ('\'' | '"', None) => quote = Some(next),
                (c, Some(open)) if c == open => quote = None,
                (c, _) => text.push(c),
            }
        }
        if quote.is_some() {
            return Err(self.syntax("a quote does not end"));
        }
        pieces.push(Piece::Text(text));
        Ok(pieces)
    }

    fn variable(&mut self) -> Result<String, ScriptError> {
        let braced = self.rest.next_if_eq(&'{').is_some();
        let mut name = String::new();
        while let Some(c) = self
            .rest
            .next_if(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '?'))
        {
            name.push(c);
        }
        if braced && self.rest.next_if_eq(&'}').is_none() {
            return Err(self.syntax("a variable's name does not end"));
        }
        Ok(name)
    }

    fn syntax(&self, what: &'static str) -> ScriptError {
        ScriptError::Syntax {
            line: self.line,
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Word {
        vec![Piece::Text(text.to_owned())]
    }

    #[test]
    fn words_quotes_and_variables() {
        let statements = parse("echo \"a $b c\" 'd $e' f\\ g; set x=${y}z # no\n").unwrap();
        let [Statement::Command(echo), Statement::Command(set)] = statements.as_slice() else {
            panic!("{statements:?}");
        };
        let quoted = vec![
            Piece::Text("a ".to_owned()),
            Piece::Variable("b".to_owned()),
            Piece::Text(" c".to_owned()),
        ];
        assert_eq!(echo, &[text("echo"), quoted, text("d $e"), text("f g")]);
        assert_eq!(set.len(), 2);
    }

    #[test]
    fn menus_hold_their_commands() {
        let statements = parse("menuentry \"a b\" --id x {\n linux k\n}\nboot").unwrap();
        let [Statement::Menu { words, body }, Statement::Command(_)] = statements.as_slice() else {
            panic!("{statements:?}");
        };
        assert_eq!(words.get(1), Some(&text("a b")));
        assert_eq!(body, &[Statement::Command(vec![text("linux"), text("k")])]);
    }

    #[test]
    fn what_does_not_end_is_an_error() {
        for script in [
            "menuentry x {",
            "}",
            "echo 'a",
            "echo ${a",
            &"x {".repeat(50),
        ] {
            assert!(parse(script).is_err(), "{script}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_script_or_an_error(script in "[ -~\n]{0,80}") {
            let _ = parse(&script);
        }
    }
}
