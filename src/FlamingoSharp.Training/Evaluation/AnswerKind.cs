namespace FlamingoSharp.Training.Evaluation;

/// <summary>What kind of answer an item wants, which decides how it is asked and scored.</summary>
internal enum AnswerKind
{
    /// <summary>A sentence, compared with references.</summary>
    Caption,

    /// <summary>Yes or no.</summary>
    YesNo,

    /// <summary>One of the item's own choices.</summary>
    Choice,

    /// <summary>One of the labels of the whole task.</summary>
    Label,

    /// <summary>Any number of labels.</summary>
    Labels,

    /// <summary>A few words, with nothing to choose from.</summary>
    Free,

    /// <summary>The next turn of a dialogue, compared with the one that was spoken.</summary>
    Dialogue,

    /// <summary>Several turns about what the model itself has said, compared with each other.</summary>
    Consistency,
}
